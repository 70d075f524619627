// @ts-check

/** @typedef {{ sku: string, onHand: number }} Item */
/** @typedef {{ id: number, sku: string, delta: number, onHand: number }} Adjustment */
/**
 * @typedef {{ kind: 'adjusted', adjustment: Adjustment }
 *   | { kind: 'unknown-sku', sku: string }
 *   | { kind: 'below-zero', item: Item, delta: number }} Outcome
 */

/**
 * The stock and everything that was taken from it or added to it.
 *
 * @param {import('better-sqlite3').Database} db
 */
export const openStock = (db) => {
  db.transaction(makeTables).immediate(db)

  const findItem = db.prepare('SELECT sku, on_hand AS onHand FROM stock WHERE sku = ?')
  const update = db.prepare('UPDATE stock SET on_hand = ? WHERE sku = ?')
  const insert = db.prepare(
    `INSERT INTO adjustments (sku, delta, on_hand) VALUES (?, ?, ?)
     RETURNING id, sku, delta, on_hand AS onHand`,
  )
  const findAdjustment = db.prepare(
    'SELECT id, sku, delta, on_hand AS onHand FROM adjustments WHERE id = ?',
  )
  const listAdjustments = db.prepare(
    'SELECT id, sku, delta, on_hand AS onHand FROM adjustments ORDER BY id',
  )

  /** @type {(sku: string) => Item | undefined} */
  const find = (sku) => /** @type {any} */ (findItem.get(sku))

  /** @type {(id: string) => Adjustment | undefined} */
  const adjustment = (id) => /** @type {any} */ (findAdjustment.get(id))

  /** @type {() => Adjustment[]} */
  const adjustments = () => /** @type {any} */ (listAdjustments.all())

  /**
   * Must run inside a write transaction: nobody may come between the look and the writes.
   *
   * @type {(sku: string, delta: number) => Outcome}
   */
  const adjust = (sku, delta) => {
    const item = find(sku)
    if (!item) return { kind: 'unknown-sku', sku }
    const onHand = item.onHand + delta
    if (onHand < 0) return { kind: 'below-zero', item, delta }
    update.run(onHand, sku)
    return { kind: 'adjusted', adjustment: /** @type {any} */ (insert.get(sku, delta, onHand)) }
  }

  return { find, adjust, adjustment, adjustments }
}

/**
 * Tables and initial stock, on the first start only.
 *
 * @param {import('better-sqlite3').Database} db
 */
const makeTables = (db) => {
  if (db.pragma('user_version', { simple: true }) !== 0) return
  db.exec(`
    CREATE TABLE stock (sku TEXT PRIMARY KEY, on_hand INTEGER NOT NULL CHECK (on_hand >= 0)) STRICT;
    CREATE TABLE adjustments (
      id INTEGER PRIMARY KEY,
      sku TEXT NOT NULL REFERENCES stock,
      delta INTEGER NOT NULL,
      on_hand INTEGER NOT NULL
    ) STRICT;
    INSERT INTO stock VALUES ('A-100', 100), ('B-200', 50), ('C-300', 1000000);
    PRAGMA user_version = 1;
  `)
}
