// @ts-check

/** @typedef {import('./adjustment.mjs').Item} Item */
/** @typedef {import('./adjustment.mjs').Adjustment} Adjustment */
/** @typedef {import('./adjustment.mjs').Outcome} Outcome */

/**
 * The stock and everything that was taken from it or added to it, in a Postgres database.
 *
 * @param {import('pg').Pool} pool
 */
export const openStockOnPostgres = async (pool) => {
  await pool.query(onFirstStart)

  /** @type {(sku: string) => Promise<Item | undefined>} */
  const find = (sku) => findItem(pool, sku)

  /** @type {(id: string) => Promise<Adjustment | undefined>} */
  const adjustment = async (id) => {
    // Anything else is the id of none, and no number to Postgres.
    if (!/^\d{1,15}$/.test(id)) return undefined
    const { rows } = await pool.query(`SELECT ${columns} FROM adjustments WHERE id = $1`, [id])
    return rows.map(toAdjustment)[0]
  }

  /** @type {() => Promise<Adjustment[]>} */
  const adjustments = async () => {
    const { rows } = await pool.query(`SELECT ${columns} FROM adjustments ORDER BY id`)
    return rows.map(toAdjustment)
  }

  /**
   * Must run inside a transaction, on its client. Whoever adjusts the same article meanwhile waits for its end.
   *
   * @type {(client: import('pg').ClientBase, sku: string, delta: number) => Promise<Outcome>}
   */
  const adjust = async (client, sku, delta) => {
    // Nobody may come between the look and the writes.
    const item = await findItem(client, sku, 'FOR UPDATE')
    if (!item) return { kind: 'unknown-sku', sku }
    const onHand = item.onHand + delta
    if (onHand < 0) return { kind: 'below-zero', item, delta }
    await client.query('UPDATE stock SET on_hand = $1 WHERE sku = $2', [onHand, sku])
    const { rows } = await client.query(
      `INSERT INTO adjustments (sku, delta, on_hand) VALUES ($1, $2, $3) RETURNING ${columns}`,
      [sku, delta, onHand],
    )
    return { kind: 'adjusted', adjustment: toAdjustment(rows[0]) }
  }

  return { find, adjust, adjustment, adjustments }
}

const columns = 'id, sku, delta, on_hand'

/** pg gives a bigint as text. */
/** @type {(row: { id: string, sku: string, delta: string, on_hand: string }) => Adjustment} */
const toAdjustment = ({ id, sku, delta, on_hand }) => ({
  id: Number(id),
  sku,
  delta: Number(delta),
  onHand: Number(on_hand),
})

/** @type {(client: import('pg').Pool | import('pg').ClientBase, sku: string, lock?: string) => Promise<Item | undefined>} */
const findItem = async (client, sku, lock = '') => {
  // No text to Postgres, which refuses it.
  if (sku.includes('\0')) return undefined
  const { rows } = await client.query(`SELECT on_hand FROM stock WHERE sku = $1 ${lock}`, [sku])
  return rows.map(({ on_hand }) => ({ sku, onHand: Number(on_hand) }))[0]
}

/**
 * Tables and initial stock. One statement, so all of it or nothing; of several processes that start at the same
 * instant the others wait for the first, and find it done.
 */
const onFirstStart = `DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('inventory', 0));
  IF to_regclass('stock') IS NOT NULL THEN RETURN; END IF;
  CREATE TABLE stock (sku text PRIMARY KEY, on_hand bigint NOT NULL CHECK (on_hand >= 0));
  CREATE TABLE adjustments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku text NOT NULL REFERENCES stock,
    delta bigint NOT NULL,
    on_hand bigint NOT NULL
  );
  INSERT INTO stock VALUES ('A-100', 100), ('B-200', 50), ('C-300', 1000000);
END $$`
