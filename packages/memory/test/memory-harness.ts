import { type MemoryStoreOptions, memoryStore } from '../src/index.js'

/** A memory store on a clock that one sets; `open` answers the one handle there is. */
export const memoryHarness = async (options: MemoryStoreOptions = {}) => {
  // As performance.now is: neither zero nor whole.
  let now = 1234.567
  const store = memoryStore({ ...options, now: () => now })
  return {
    store,
    open: async () => store,
    advance: async (ms: number) => {
      now += ms
    },
    close: () => store.close(),
  }
}
