import { createRequire } from 'node:module'
import express5 from 'express'

/** Express, whichever version: the part that both have in common. */
export type ExpressModule = typeof express5

const require = createRequire(import.meta.url)

/** Brings no types of its own; those of 5 describe what is used of it here. */
const express4 = require('express4') as ExpressModule

/** The versions that the binding is for. */
export const versions: readonly (readonly [name: string, express: ExpressModule])[] = [
  ['Express 4', express4],
  ['Express 5', express5],
]
