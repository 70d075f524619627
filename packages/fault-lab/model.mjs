// @ts-check
// Behind `npm run model`: compiles the enumeration and the comparisons, and runs them.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { compiled } from './compiled.mjs'

const { folder, remove } = await compiled(['model'])
process.once('exit', remove)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1))

/** @type {typeof import('./programs/model.js')} */
const { checkModel } = createRequire(import.meta.url)(join(folder, 'model.cjs'))
process.exitCode = await checkModel(process.argv.slice(2))
