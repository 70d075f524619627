// @ts-check
// Behind `npm run kills`: compiles the loop and the shops that it kills, and runs it.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { compiled } from './compiled.mjs'

const { folder, remove } = await compiled(['kills', 'sqlite-shop', 'postgres-shop'])
process.once('exit', remove)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1))

/** @type {typeof import('./programs/kills.js')} */
const { kills } = createRequire(import.meta.url)(join(folder, 'kills.cjs'))
process.exitCode = await kills(process.argv.slice(2), folder)
