// @ts-check

/** @typedef {{ reference: string, amount: number, to: string }} Order What is to be charged, in cents. */
/** @typedef {{ id: string } & Order} Charge */

/**
 * Whether a body orders a charge.
 *
 * @param {any} body
 * @returns {body is Order}
 */
export const isOrder = (body) =>
  typeof body?.reference === 'string' &&
  Number.isSafeInteger(body.amount) &&
  body.amount > 0 &&
  typeof body.to === 'string'

/**
 * The charges that were made. They survive the process.
 *
 * @param {import('better-sqlite3').Database} db
 */
export const openCharges = (db) => {
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec(`CREATE TABLE IF NOT EXISTS charges (
    id INTEGER PRIMARY KEY,
    reference TEXT NOT NULL,
    amount INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    key TEXT UNIQUE
  ) STRICT`)

  const insert = db.prepare(
    `INSERT INTO charges (reference, amount, recipient, key)
     VALUES (@reference, @amount, @to, @key) ON CONFLICT (key) DO NOTHING RETURNING id`,
  )
  const select = `SELECT 'ch_' || id AS id, reference, amount, recipient AS "to" FROM charges`
  const findById = db.prepare(`${select} WHERE 'ch_' || id = ?`)
  const findByKey = db.prepare(`${select} WHERE key = ?`)
  const listByReference = db.prepare(`${select} WHERE reference = ? ORDER BY charges.id`)
  const listAll = db.prepare(`${select} ORDER BY charges.id`)

  /** @type {(id: string) => Charge | undefined} */
  const find = (id) => /** @type {any} */ (findById.get(id))

  /**
   * Charges once for a key, and each time without one. `undefined`: the key was used for another charge.
   *
   * @type {(order: Order, key: string | undefined) => Charge | undefined}
   */
  const charge = ({ reference, amount, to }, key) => {
    const made = /** @type {{ id: number } | undefined} */ (
      insert.get({ reference, amount, to, key: key ?? null })
    )
    if (made) return find(`ch_${made.id}`)
    const earlier = /** @type {Charge} */ (findByKey.get(key))
    const isSame = earlier.reference === reference && earlier.amount === amount && earlier.to === to
    return isSame ? earlier : undefined
  }

  /** @type {(reference: string | null) => Charge[]} */
  const list = (reference) =>
    /** @type {any} */ (reference === null ? listAll.all() : listByReference.all(reference))

  return { charge, find, list }
}
