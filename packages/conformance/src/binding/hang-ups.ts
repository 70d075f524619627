import assert from 'node:assert/strict'
import { send } from './client.js'
import { hasRun, isFirst, isProblem, stateOf } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { connect } from './raw-client.js'
import { json, openShop, type Shop, stream } from './shop.js'
import { gate, until } from './waiting.js'

/**
 * The server has heard of everything that was sent, or ended, before this: it looks at its sockets in turns, and
 * a new connection with a request on it takes two of them.
 */
const serverHasHeard = async ({ port }: Shop): Promise<void> => {
  for (const _ of ['once', 'twice']) await send(port, { method: 'GET', path: '/elsewhere' })
}

const findsItsAnswer = async (shop: Shop): Promise<void> => {
  await until('the record is completed', () => stateOf(shop) === 'completed')
  const retry = await shop.send({ key: 'a' })
  assert.equal(retry.status, 201)
  assert.equal(retry.header('Idempotent-Replayed'), 'true')
  assert.equal(retry.text(), '{"run":1}')
  hasRun(shop, 1)
}

/** Clients that go away. */
export const hangUps: readonly BindingGuarantee[] = [
  {
    name: 'a client that goes while it sends its body has asked for nothing',
    points: ['25', '29'],
    check: async (harness) => {
      const shop = await openShop(harness)
      const connection = connect(shop.port)
      const head = 'POST /orders HTTP/1.1\r\nHost: shop\r\nIdempotency-Key: a\r\nContent-Length: 9'
      await connection.write(`${head}\r\n\r\nhalf`)
      await serverHasHeard(shop)
      connection.hangUp()
      await serverHasHeard(shop)
      hasRun(shop, 0)
      assert.equal(shop.store.calls('acquire'), 0)
      isFirst(await shop.send({ key: 'a', body: 'half more' }))
    },
  },
  {
    name: 'a client that goes while its key is claimed finds its answer on retry',
    points: ['29'],
    check: async (harness) => {
      const claim = gate()
      const shop = await openShop(harness)
      shop.store.faults.acquire = async (go) => {
        await claim.opened
        return go()
      }
      const conversation = shop.converse({ key: 'a' })
      await until('the store is asked', () => shop.store.calls('acquire') === 1)
      conversation.hangUp()
      await serverHasHeard(shop)
      claim.open()
      await findsItsAnswer(shop)
    },
  },
  {
    name: 'a client that goes while the handler is at work finds its answer on retry',
    points: ['29'],
    check: async (harness) => {
      const work = gate()
      const shop = await openShop(harness, {
        handler: async (_io, run) => {
          await work.opened
          return json(201, { run })
        },
      })
      const conversation = shop.converse({ key: 'a' })
      await until('the handler runs', () => shop.runs.length === 1)
      conversation.hangUp()
      await serverHasHeard(shop)
      work.open()
      await findsItsAnswer(shop)
    },
  },
  {
    name: 'a client that goes while its answer is recorded finds it on retry',
    points: ['29'],
    check: async (harness) => {
      const stored = gate()
      const shop = await openShop(harness)
      shop.store.faults.complete = async (go) => {
        await stored.opened
        return go()
      }
      const conversation = shop.converse({ key: 'a' })
      await until('the record is to be completed', () => shop.store.calls('complete') === 1)
      conversation.hangUp()
      await serverHasHeard(shop)
      stored.open()
      await findsItsAnswer(shop)
    },
  },
  {
    name: 'a client that goes in mid-answer ends the record at once, and it does not run again',
    points: ['31'],
    check: async (harness) => {
      const end = gate()
      const shop = await openShop(harness, {
        handler: () =>
          stream(201, [['Location', '/orders/1']], async function* () {
            yield Buffer.from('one ')
            await end.opened
          }),
      })
      const conversation = shop.converse({ key: 'a' })
      await conversation.receives(4)
      conversation.hangUp()
      await until('the record is ended', () => stateOf(shop) !== 'in_flight')
      const retry = await shop.send({ key: 'a' })
      isProblem(retry, 409, 'response-not-stored')
      assert.equal(retry.header('Location'), '/orders/1')
      hasRun(shop, 1)
      end.open()
    },
  },
]
