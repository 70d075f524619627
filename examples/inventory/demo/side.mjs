// @ts-check
import { randomUUID } from 'node:crypto'
import { openNetwork } from './network.mjs'
import { startSender, startServer } from './processes.mjs'

/** @typedef {Awaited<ReturnType<typeof openSide>>} Side */

/**
 * One of the two APIs that are compared: its server, a sender, and the network between them.
 *
 * @param {'with' | 'without'} layer
 * @param {import('./place.mjs').Place} place
 * @param {{ target?: import('./targets.mjs').Target, store: import('./targets.mjs').Store, leaseMs?: number }} terms
 */
export const openSide = async (layer, place, terms) => {
  const addresses = await place.addressesOf(layer)
  // Where the keys outlive the demo, those of an earlier run are known.
  const run = randomUUID()
  const sender = startSender()
  const network = await openNetwork()
  const start = async () => {
    const started = await startServer({ layer, ...addresses, ...terms })
    network.leadTo(started.port)
    return started
  }
  let server = await start()

  /** @type {(path: string) => Promise<any>} */
  const get = async (path) => (await fetch(server.url + path)).json()

  return {
    network,
    /** @type {(sku: string) => Promise<number>} */
    onHand: async (sku) => (await get(`/stock/${sku}`)).onHand,
    /** @type {() => Promise<number>} */
    adjustments: async () => (await get('/adjustments')).length,

    /** @param {(Omit<import('./deliver.mjs').Delivery, 'url'>)[]} deliveries */
    send: (deliveries) =>
      sender.deliver(
        deliveries.map((each) => ({ url: network.url, ...each, key: `${run}-${each.key}` })),
      ),

    /**
     * Has the server killed at a point of the next adjustment and starts it again, while the work goes on.
     *
     * @template T
     * @param {import('./die-at.mjs').Point} point
     * @param {() => Promise<T>} work
     */
    async killedAt(point, work) {
      server.dieAt(point)
      const working = work()
      working.catch(() => {})
      const end = await Promise.race([server.ended, working.then(() => 'no end')])
      // Where there are no signals, a process that kills itself ends with 1.
      if (end !== 'SIGKILL' && end !== 1) throw new Error(`It was to be killed; there was ${end}.`)
      server = await start()
      return working
    },

    /** The attempt that took over from one that had died, as the server told its log. */
    takeover: async () => {
      const line = await server.findLine(/^Attempt (\d+)/, 1_000)
      return line ? `attempt ${line[1]}` : 'none'
    },

    async close() {
      await Promise.all([server.stop(), sender.stop()])
      network.close()
    },
  }
}
