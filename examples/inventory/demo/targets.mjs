// @ts-check
import { parseArgs } from 'node:util'

/** The frameworks that the API runs on: each one's example, and the stores that it can keep its records in. */
export const targets = /** @type {const} */ ({
  express: { title: 'Express', folder: 'examples/inventory', stores: ['sqlite'] },
  hono: { title: 'Hono', folder: 'examples/inventory-hono', stores: ['sqlite', 'memory'] },
  koa: { title: 'Koa', folder: 'examples/inventory-koa', stores: ['sqlite', 'memory'] },
})

/** @typedef {keyof typeof targets} Target */
/** @typedef {'sqlite' | 'memory'} Store */
/** @typedef {{ target: Target, store: Store }} Choice */

/**
 * What the demo is played with, by its arguments and the environment's `STORE`.
 *
 * @param {string[]} args
 * @param {string} [storeName]
 * @returns {Choice | { refusal: string }} The refusal is one line.
 */
export const choose = (args, storeName = 'sqlite') => {
  /** @type {string} */
  let name
  try {
    name = parseArgs({ args, options: { target: { type: 'string', default: 'express' } } }).values
      .target
  } catch {
    return { refusal: `The demo takes --target ${either(targets)}, not ${args.join(' ')}.` }
  }
  if (!isIn(targets, name)) {
    return { refusal: `--target is ${either(targets)}, not ${name}.` }
  }
  /** @type {readonly Store[]} */
  const stores = targets[name].stores
  const store = stores.find((each) => each === storeName)
  if (store) return { target: name, store }
  return { refusal: `With --target ${name}, STORE is ${stores.join(' or ')}, not ${storeName}.` }
}

/** @type {(all: object) => string} */
const either = (all) => Object.keys(all).join('|')

/** @type {<T extends object>(all: T, name: PropertyKey) => name is keyof T} */
const isIn = (all, name) => Object.hasOwn(all, name)
