import { createRequire } from 'node:module'
import Koa3 from 'koa'

/** Koa, whichever version: the part that both have in common. */
export type KoaModule = typeof Koa3

/** Brings no types of its own; those of 3 describe what is used of it here. */
const Koa2 = createRequire(import.meta.url)('koa2') as KoaModule

/** The versions that the binding is for. */
export const versions: readonly (readonly [name: string, Koa: KoaModule])[] = [
  ['Koa 2', Koa2],
  ['Koa 3', Koa3],
]
