import { randomFrom } from '../../conformance/src/store/random.js'

/** Random numbers that a seed brings back. */
export interface Random {
  /** From 0 up to and without 1. */
  next(): number
  /** A whole number from 0 up to and without the bound. */
  below(bound: number): number
  /** The same items in another order. */
  shuffled<Item>(items: readonly Item[]): Item[]
}

/** The suite's own, with what a lab needs beside it. */
export const seededRandom = (seed: number): Random => {
  const below = randomFrom(seed)
  const next = (): number => below(2 ** 32) / 2 ** 32
  return {
    next,
    below,
    shuffled: (items) =>
      items
        .map((item) => ({ item, at: next() }))
        .sort((one, other) => one.at - other.at)
        .map(({ item }) => item),
  }
}
