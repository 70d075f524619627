import type { ClientRequest } from './client.js'
import { isFirst, isProblem, isReplay } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import type { BindingPoint } from './points.js'
import { openShop, type ShopTerms } from './shop.js'

/** Two requests, and what the layer is to take them for. */
export type Compared = readonly [ClientRequest, 'same' | 'different', ClientRequest]

/** Each pair under a key of its own: the second request is a replay of the first, or a mismatch. */
export const compares = (
  name: string,
  points: readonly BindingPoint[],
  terms: ShopTerms,
  pairs: readonly Compared[],
): BindingGuarantee => ({
  name,
  points,
  check: async (harness) => {
    const shop = await openShop(harness, terms)
    for (const [at, [one, how, other]] of pairs.entries()) {
      const key = `pair-${at}`
      const first = await shop.send({ key, ...one })
      isFirst(first)
      const second = await shop.send({ key, ...other })
      if (how === 'same') isReplay(second, first)
      else isProblem(second, 422, 'key-reused')
    }
  },
})

/** A body with its media type, and fields besides. */
export const typed = (
  type: string,
  body: string | Uint8Array,
  headers: ClientRequest['headers'] = {},
): ClientRequest => ({ body, headers: { 'content-type': type, ...headers } })

export const asJson = (body: string): ClientRequest => typed('application/json', body)
export const asForm = (body: string): ClientRequest =>
  typed('application/x-www-form-urlencoded', body)
export const asText = (body: string): ClientRequest => typed('text/plain', body)
