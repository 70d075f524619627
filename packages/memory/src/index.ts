export type { MemoryStoreOptions } from './memory-options.js'
export { type MemoryStore, memoryStore } from './memory-store.js'
