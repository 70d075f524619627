import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openStock } from '../src/stock.mjs'
import { newDatabase } from './inventory.js'

const open = (file = newDatabase()) => {
  const db = new Database(file)
  onTestFinished(() => {
    db.close()
  })
  return db
}

describe('The stock', () => {
  test('takes over a file of its first version with everything in it', () => {
    const db = open()
    db.exec(`
      CREATE TABLE stock (sku TEXT PRIMARY KEY, on_hand INTEGER NOT NULL CHECK (on_hand >= 0)) STRICT;
      CREATE TABLE adjustments (
        id INTEGER PRIMARY KEY,
        sku TEXT NOT NULL REFERENCES stock,
        delta INTEGER NOT NULL,
        on_hand INTEGER NOT NULL
      ) STRICT;
      INSERT INTO stock VALUES ('A-100', 95);
      INSERT INTO adjustments VALUES (1, 'A-100', -5, 95);
      PRAGMA user_version = 1;
    `)
    const before = { id: 1, sku: 'A-100', delta: -5, onHand: 95 }
    expect(openStock(db).adjustments()).toEqual([before])
    const stock = openStock(db)
    stock.adjust('A-100', -1)
    stock.adjust('A-100', -1, 'a-derived-key')
    expect(stock.find('A-100')).toEqual({ sku: 'A-100', onHand: 93 })
    expect(stock.adjustments()).toHaveLength(3)
  })

  test('leaves a file of a later version alone', () => {
    const db = open()
    db.pragma('user_version = 99')
    expect(() => openStock(db)).toThrow(`${db.name} was made by a later version of this example.`)
    expect(db.prepare('SELECT * FROM sqlite_schema').all()).toEqual([])
  })

  test('is adjusted once under a derived key, also by another process', () => {
    const db = open()
    const stock = openStock(db)
    const made = stock.adjust('A-100', -5, 'one')
    expect(openStock(open(db.name)).adjust('A-100', -5, 'one')).toEqual(made)
    expect(stock.adjust('A-100', -5, 'another')).toMatchObject({ adjustment: { id: 2 } })
    expect(stock.find('A-100')?.onHand).toBe(90)
  })

  test('makes no other adjustment under a derived key than the first', () => {
    const stock = openStock(open())
    const made = stock.adjust('A-100', -5, 'one')
    const { adjustment } = made as Extract<typeof made, { kind: 'adjusted' }>
    for (const [sku, delta] of [
      ['A-100', -6],
      ['B-200', -5],
    ] as const)
      expect(stock.adjust(sku, delta, 'one')).toEqual({ kind: 'other-adjustment', adjustment })
    expect(stock.adjustments()).toEqual([adjustment])
  })
})
