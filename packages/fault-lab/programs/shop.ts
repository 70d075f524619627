import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { Execution, IdempotencyStore } from '@retrysafe/core'
import { idempotency } from '@retrysafe/express'
import express from 'express'
import type { ShopTerms } from '../src/shop-process.js'

/** Writes the effect of a key and has it answered, by the means that the shop was told. */
export type TakeOrder = (
  execution: Execution,
  key: string,
  answer: (effect: number) => void,
) => Promise<void>

export const terms = JSON.parse(String(process.argv[2])) as ShopTerms

/** Serves orders on a free port and says which. No two runs of the handler give the same answer. */
export const startShop = (store: IdempotencyStore, take: TakeOrder): void => {
  const once = idempotency({ store, scope: 'global', required: true, leaseMs: terms.leaseMs })
  const app = express()
  app.post('/orders', once, async (req, res) => {
    const { attempt } = req.idempotency
    await take(req.idempotency, String(req.get('idempotency-key')), (effect) => {
      res.status(201).json({ effect, attempt, run: randomUUID() })
    })
  })
  const server = app.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    process.send?.(port, undefined, undefined, (error) => error && process.exit())
  })
}
