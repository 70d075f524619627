import { sqliteStore } from '../../src/index.js'

// Opens a store, and ends by itself though nobody closes it.
const store = sqliteStore(String(process.argv[2]), { purgeEveryMs: 30_000 })
console.log(await store.read('key'))
