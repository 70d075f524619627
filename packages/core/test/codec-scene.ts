import { type Codec, wrappedResults } from '../src/codec.js'
import type { StoredResult } from '../src/record.js'
import { answers } from './faulty-store.js'
import { httpScene, problemOf, standing } from './http-scene.js'

export const resultsOf = (codec: Codec | readonly Codec[]) => wrappedResults([codec].flat(), 2_000)
export const response = (body: Uint8Array): StoredResult => ({
  kind: 'response',
  response: { status: 201, headers: [['Location', '/orders/1']], body },
})

/** The answers of whoever comes when the record has this result, under both words about a store that is down. */
export const askedWith = async (codec: Codec | readonly Codec[], result: Uint8Array) => {
  const problems: string[] = []
  for (const onStoreDown of ['refuse', 'run-unprotected'] as const) {
    const { store, ask, answered, inner } = httpScene({ codec, onStoreDown })
    await answered(201, 'mine')
    const record = await standing({ inner })
    store.next('acquire', answers({ kind: 'exists', record: { ...record, result } }))
    problems.push(problemOf(await ask()).code)
  }
  return problems
}
export const refused = ['store-unavailable', 'store-unavailable']
