import { sqliteStore } from '../../src/index.js'

// Opens a store on the file that is named and closes it again.
sqliteStore(String(process.argv[2]))
  .close()
  .then(() => console.log('open'))
