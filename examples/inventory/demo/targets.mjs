// @ts-check
import { parseArgs } from 'node:util'

/** The frameworks that the API runs on, and each one's example. */
export const targets = /** @type {const} */ ({
  express: { title: 'Express', folder: 'examples/inventory' },
  hono: { title: 'Hono', folder: 'examples/inventory-hono' },
  koa: { title: 'Koa', folder: 'examples/inventory-koa' },
})

/** Where each of them can keep its records. */
const stores = /** @type {const} */ (['sqlite', 'postgres', 'redis', 'memory'])

/** @typedef {keyof typeof targets} Target */
/** @typedef {(typeof stores)[number]} Store */
/** @typedef {{ target: Target, store: Store }} Choice */

/**
 * What the demo is played with, by its arguments and the environment's `STORE`.
 *
 * @param {string[]} args
 * @param {string} [fromEnvironment]
 * @returns {Choice | { refusal: string }} The refusal is one line.
 */
export const choose = (args, fromEnvironment) => {
  const given = parse(args)
  if (!given) {
    return { refusal: `The demo takes --target ${either} and --store, not ${args.join(' ')}.` }
  }
  const { target = 'express', store: name = fromEnvironment || 'sqlite' } = given
  if (!isTarget(target)) return { refusal: `--target is ${either}, not ${target}.` }
  const store = stores.find((each) => each === name)
  if (store) return { target, store }
  const asked = given.store === undefined ? 'STORE' : '--store'
  return { refusal: `${asked} is ${stores.join('|')}, not ${name}.` }
}

/** @param {string[]} args */
const parse = (args) => {
  const options = /** @type {const} */ ({ target: { type: 'string' }, store: { type: 'string' } })
  try {
    return parseArgs({ args, options }).values
  } catch {
    return undefined
  }
}

const either = Object.keys(targets).join('|')

/** @type {(name: string) => name is Target} */
const isTarget = (name) => Object.hasOwn(targets, name)
