/** The version of the tables that this code knows. */
const version = 1

/** A name as SQL takes it, whatever is in it. */
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** How the tables are called in a statement. */
export const tablesIn = (schema: string | undefined) => {
  const prefix = schema === undefined ? '' : `${quoted(schema)}.`
  return { records: `${prefix}retrysafe_records`, schema: `${prefix}retrysafe_schema` }
}

/**
 * The SQL that makes the tables, for those who run their own migrations; `migrate()` runs the same. It can be run any
 * number of times, by several at once too, and changes nothing where the tables are there.
 *
 * @param schema The schema that they are to be in; without it the first of the connection's search_path.
 * @example
 * console.log(postgresSchema())
 */
export const postgresSchema = (schema?: string): string => {
  const tables = tablesIn(schema)
  // The words of `state` and `after` are not checked by the table: a row with another word is refused when it is read.
  return `-- IF NOT EXISTS alone does not keep two that create the same table from each other's way.
SELECT pg_advisory_xact_lock(hashtextextended('retrysafe', 0));
CREATE TABLE IF NOT EXISTS ${tables.records} (
  record_key text PRIMARY KEY,
  token text NOT NULL,
  fingerprint text NOT NULL,
  state text NOT NULL,
  attempt integer NOT NULL,
  after text NOT NULL,
  in_doubt boolean NOT NULL DEFAULT false,
  awaited boolean NOT NULL DEFAULT false,
  lease_ends_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  progress bytea,
  result bytea
);
CREATE INDEX IF NOT EXISTS retrysafe_records_expiry ON ${tables.records} (expires_at);
CREATE TABLE IF NOT EXISTS ${tables.schema} (version integer NOT NULL);
INSERT INTO ${tables.schema} SELECT ${version} WHERE NOT EXISTS (SELECT FROM ${tables.schema});
`
}
