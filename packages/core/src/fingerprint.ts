import { type Form, formsOf, strictestFirst } from './body-forms.js'
import {
  digestWith,
  type FingerprintRecipe,
  type FingerprintSettings,
} from './fingerprint-settings.js'
import type { RequestBody } from './request.js'

/** Everything of a request that may count. */
export interface FingerprintSource {
  readonly method: string
  readonly target: string
  readonly mediaType: string
  readonly fieldLines: (name: string) => readonly string[]
  readonly body: RequestBody
}

/** The fingerprint of the same request under earlier settings, by their id; `undefined` where none has it. */
export type EarlierFingerprint = (id: string) => string | undefined

export type Fingerprinted =
  | {
      readonly kind: 'fingerprint'
      readonly fingerprint: string
      /** There where earlier settings are listed. Made when it is asked for, which only an old record does. */
      readonly earlier?: EarlierFingerprint
    }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'consumed' }

/** The comparison is off: nothing of the request counts. */
export const anyRequest = 'any:'

/** The fingerprint of what the user's own function answers. */
export const customFingerprint = (value: string | Uint8Array): string =>
  // UTF-16: in UTF-8 every lone surrogate becomes the same replacement.
  write('custom', {
    bytes: digestWith()([typeof value === 'string' ? Buffer.from(value, 'utf16le') : value]),
  })

/**
 * A digest over method, target, media type, chosen headers and body, one for each form that can be made of the
 * body; two requests are compared by the strictest form that both have.
 */
export const fingerprintOf = (
  source: FingerprintSource,
  settings: FingerprintSettings,
): Fingerprinted => {
  const made = madeBy(source, settings)
  if (made === 'too-large' || made === 'consumed') return { kind: made }
  const { previous } = settings
  if (previous.length === 0) return { kind: 'fingerprint', fingerprint: made }
  return { kind: 'fingerprint', fingerprint: made, earlier: earlierOf(source, previous) }
}

/**
 * `unreadable`: made by an algorithm or settings that this process cannot compute.
 * @param earlier My request under other settings, for a record that was made by those.
 */
export const compareFingerprints = (
  mine: string,
  theirs: string,
  earlier?: EarlierFingerprint,
): 'same' | 'different' | 'unreadable' => {
  if (mine === theirs || mine === anyRequest) return 'same'
  const [theirId, theirForms] = read(theirs)
  const [myId, myForms] = read(mine)
  if (myId !== theirId) {
    const like = earlier?.(theirId)
    return like === undefined ? 'unreadable' : compareFingerprints(like, theirs)
  }
  const shared = strictestFirst.find((form) => myForms.has(form) && theirForms.has(form))
  return shared !== undefined && myForms.get(shared) === theirForms.get(shared)
    ? 'same'
    : 'different'
}

const earlierOf =
  (source: FingerprintSource, previous: readonly FingerprintRecipe[]): EarlierFingerprint =>
  (id) => {
    const recipe = previous.find((earlier) => earlier.id === id)
    if (recipe === undefined) return undefined
    const made = madeBy(source, recipe)
    // Under those settings it would have been refused: no record of theirs is of this request.
    return made === 'too-large' || made === 'consumed' ? write(id, {}) : made
  }

const madeBy = (
  { method, target, mediaType, fieldLines, body }: FingerprintSource,
  recipe: FingerprintRecipe,
): string | 'too-large' | 'consumed' => {
  const [contentType] = fieldLines('content-type')
  const forms = formsOf({ mediaType, contentType, body }, recipe)
  if (forms === 'too-large' || forms === 'consumed') return forms
  const isEmpty = forms.empty !== undefined
  const common = [
    method,
    target,
    isEmpty ? '' : mediaType,
    ...recipe.headers.flatMap((name) => {
      const lines = fieldLines(name)
      return [name, String(lines.length), ...lines]
    }),
  ]
  const digests: Partial<Record<Form, string>> = {}
  for (const form of strictestFirst) {
    const content = forms[form]
    if (content === undefined) continue
    const pieces = Array.isArray(content) ? content : [content]
    digests[form] = recipe.digest([...common, form, ...pieces])
  }
  return write(recipe.id, digests)
}

const write = (id: string, digests: Partial<Record<Form, string>>): string =>
  `${id}:${Object.entries(digests)
    .map(([form, value]) => `${form}=${value}`)
    .join(',')}`

const read = (fingerprint: string): [id: string, forms: Map<string, string>] => {
  const colon = fingerprint.indexOf(':')
  const forms = fingerprint
    .slice(colon + 1)
    .split(',')
    .map((entry): [string, string] => {
      const equals = entry.indexOf('=')
      return [entry.slice(0, equals), entry.slice(equals + 1)]
    })
  return [fingerprint.slice(0, colon), new Map(forms)]
}
