// @ts-check

/** @typedef {import('./adjustment.mjs').Item} Item */
/** @typedef {import('./adjustment.mjs').Adjustment} Adjustment */
/** @typedef {import('./adjustment.mjs').Outcome} Outcome */

/**
 * The stock and everything that was taken from it or added to it, in an SQLite file.
 *
 * @param {import('better-sqlite3').Database} db
 */
export const openStock = (db) => {
  // What was answered must survive a power loss.
  db.pragma('synchronous = FULL')
  db.transaction(bringUpToDate).immediate(db)

  const findItem = db.prepare('SELECT sku, on_hand AS onHand FROM stock WHERE sku = ?')
  const update = db.prepare('UPDATE stock SET on_hand = ? WHERE sku = ?')
  const columns = 'id, sku, delta, on_hand AS onHand'
  const insert = db.prepare(
    `INSERT INTO adjustments (sku, delta, on_hand, derived_key) VALUES (?, ?, ?, ?)
     RETURNING ${columns}`,
  )
  const findAdjustment = db.prepare(`SELECT ${columns} FROM adjustments WHERE id = ?`)
  const findMade = db.prepare(`SELECT ${columns} FROM adjustments WHERE derived_key = ?`)
  const listAdjustments = db.prepare(`SELECT ${columns} FROM adjustments ORDER BY id`)

  /** @type {(sku: string) => Item | undefined} */
  const find = (sku) => /** @type {any} */ (findItem.get(sku))

  /** @type {(id: string) => Adjustment | undefined} */
  const adjustment = (id) => /** @type {any} */ (findAdjustment.get(id))

  /** @type {() => Adjustment[]} */
  const adjustments = () => /** @type {any} */ (listAdjustments.all())

  /**
   * Must run inside a write transaction: nobody may come between the look and the writes. With a derived key the
   * adjustment is made once for that key; whoever asks again hears of the one that was made.
   *
   * @type {(sku: string, delta: number, derivedKey?: string) => Outcome}
   */
  const adjust = (sku, delta, derivedKey) => {
    const made = derivedKey && /** @type {Adjustment | undefined} */ (findMade.get(derivedKey))
    if (made) {
      const isSame = made.sku === sku && made.delta === delta
      return { kind: isSame ? 'adjusted' : 'other-adjustment', adjustment: made }
    }
    const item = find(sku)
    if (!item) return { kind: 'unknown-sku', sku }
    const onHand = item.onHand + delta
    if (onHand < 0) return { kind: 'below-zero', item, delta }
    update.run(onHand, sku)
    const inserted = insert.get(sku, delta, onHand, derivedKey ?? null)
    return { kind: 'adjusted', adjustment: /** @type {Adjustment} */ (inserted) }
  }

  const adjusting = db.transaction(adjust)
  /** In a transaction of its own, whose COMMIT is behind it when it returns: once for each derived key. */
  const adjustOnce = (
    /** @type {string} */ sku,
    /** @type {number} */ delta,
    /** @type {string} */ derivedKey,
  ) => adjusting.immediate(sku, delta, derivedKey)

  return { find, adjust, adjustOnce, adjustment, adjustments }
}

/** What each version of the file has over the one before; `user_version` counts them. */
const versions = [
  `CREATE TABLE stock (sku TEXT PRIMARY KEY, on_hand INTEGER NOT NULL CHECK (on_hand >= 0)) STRICT;
   CREATE TABLE adjustments (
     id INTEGER PRIMARY KEY,
     sku TEXT NOT NULL REFERENCES stock,
     delta INTEGER NOT NULL,
     on_hand INTEGER NOT NULL
   ) STRICT;
   INSERT INTO stock VALUES ('A-100', 100), ('B-200', 50), ('C-300', 1000000);`,

  `ALTER TABLE adjustments ADD COLUMN derived_key TEXT;
   CREATE UNIQUE INDEX adjustments_derived_key ON adjustments (derived_key);`,
]

/**
 * Tables and initial stock on the first start, and what an earlier version of the file lacks.
 *
 * @param {import('better-sqlite3').Database} db
 */
const bringUpToDate = (db) => {
  const version = Number(db.pragma('user_version', { simple: true }))
  if (version > versions.length) {
    throw new Error(`${db.name} was made by a later version of this example.`)
  }
  for (const step of versions.slice(version)) db.exec(step)
  if (version < versions.length) db.pragma(`user_version = ${versions.length}`)
}
