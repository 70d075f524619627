import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { send } from './client.js'
import { hasRun, isProblem, stateOf } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { json, openShop } from './shop.js'
import { gate, until } from './waiting.js'

/** A proxy in front of the application that answers 504 when it is told to, and closes the connection behind it. */
const openProxy = async (port: number) => {
  const under = new Set<() => void>()
  const server = createServer((message, response) => {
    const { method, url: path, headers } = message
    const behind = request({ host: '127.0.0.1', port, method, path, headers, agent: false })
    const giveUp = (): void => {
      behind.destroy()
      response.writeHead(504).end('The application takes too long.')
    }
    under.add(giveUp)
    behind.once('response', (answer) => {
      under.delete(giveUp)
      response.writeHead(answer.statusCode ?? 0, answer.rawHeaders)
      answer.pipe(response)
    })
    behind.on('error', () => {})
    message.pipe(behind)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    timeOut: () => {
      for (const giveUp of under) giveUp()
      under.clear()
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** What answers in front of the layer while the handler is at work. */
export const timeOuts: readonly BindingGuarantee[] = [
  {
    name: 'a result that comes after a time-out in front is stored, and the retry gets it',
    points: ['9', '29'],
    check: async (harness) => {
      const work = gate()
      const shop = await openShop(harness, {
        handler: async (_io, run) => {
          await work.opened
          return json(201, { run })
        },
      })
      const proxy = await openProxy(shop.port)
      try {
        const slow = send(proxy.port, { key: 'a', json: { sku: 1 } })
        await until('the handler runs', () => shop.runs.length === 1)
        proxy.timeOut()
        assert.equal((await slow).status, 504)
        const early = await send(proxy.port, { key: 'a', json: { sku: 1 } })
        isProblem(early, 409, 'request-in-flight')
        work.open()
        await until('the late result is stored', () => stateOf(shop) === 'completed')
        const retry = await send(proxy.port, { key: 'a', json: { sku: 1 } })
        assert.deepEqual([retry.status, retry.json()], [201, { run: 1 }])
        assert.equal(retry.header('Idempotent-Replayed'), 'true')
        hasRun(shop, 1)
      } finally {
        proxy.close()
      }
    },
  },
]
