import { isPointer } from './excluded-members.js'
import type { FingerprintOptions } from './fingerprint-settings.js'
import { isNames, type Rule } from './option-rule.js'

/** In bytes. What is shorter can be guessed. */
const minSecretLength = 16

type Recipe = Omit<FingerprintOptions, 'previous'>

const members: Record<keyof Recipe, (value: unknown) => boolean> = {
  json: (value) => value === 'semantic' || value === 'raw',
  headers: isNames,
  exclude: (value) => Array.isArray(value) && value.every(isExcludable),
  secret: (value) =>
    (typeof value === 'string' || value instanceof Uint8Array) &&
    Buffer.byteLength(value) >= minSecretLength,
}

const isExcludable = (name: unknown): boolean =>
  typeof name === 'string' && name !== '' && (!name.startsWith('/') || isPointer(name))

/** What is wrong about a recipe, told by the names of its members: any value may be a secret in the wrong place. */
const wrongRecipe = (value: unknown): string | undefined => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return kindOf(value)
  for (const [name, member] of Object.entries(value)) {
    const isRight = Object.hasOwn(members, name) ? members[name as keyof Recipe] : () => false
    if (member !== undefined && !isRight(member)) return `an object with the wrong member "${name}"`
  }
  const { json, exclude = [] } = value as Recipe
  return json === 'raw' && exclude.length > 0
    ? `an object of json 'raw' and "exclude", which need each other's opposite`
    : undefined
}

const wrongOptions = (value: unknown): string | undefined => {
  if (typeof value !== 'object' || value === null) return wrongRecipe(value)
  const { previous = [], ...recipe } = value as FingerprintOptions
  const wrong = wrongRecipe(Array.isArray(value) ? value : recipe)
  if (wrong !== undefined) return wrong
  if (!Array.isArray(previous)) return `an object with the wrong member "previous"`
  const earlier = previous.map(wrongRecipe).find((each) => each !== undefined)
  return earlier && `an object with "previous" of ${earlier}`
}

const kindOf = (value: unknown): string => {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value)
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`
}

export const fingerprintRule: Rule = {
  preset: {},
  isRight: (value) =>
    value === false || typeof value === 'function' || wrongOptions(value) === undefined,
  expected:
    `false, a function, or an object of json ('semantic' or 'raw'), headers (names), exclude (names of members, or JSON ` +
    `Pointers; not with json 'raw'), secret (${minSecretLength} bytes or more) and previous (a list of such objects)`,
  why: 'It decides whether two requests with one key are the same.',
  shown: (value) => wrongOptions(value) ?? 'something else',
}
