import { createHash, createHmac, createSecretKey } from 'node:crypto'
import { excludedFields, type IsExcluded } from './canonical-form.js'
import { type ExcludedMembers, excludedMembers, excludedNames } from './excluded-members.js'

/**
 * What makes two requests the same one: method, full path and query, media type and body, and what is said here.
 * A change makes the records that stand unreadable (503 `store-unavailable`) unless `previous` lists what was before.
 */
export interface FingerprintOptions {
  /** Whether JSON counts by its meaning (white space, order of members and escapes do not matter) or by its bytes. @default 'semantic' */
  readonly json?: 'semantic' | 'raw'
  /** Header fields that count as well. @default [] */
  readonly headers?: readonly string[]
  /**
   * Members that do not count: top-level members of a JSON object, and fields of a form with all that is nested below
   * them. A text that starts with `/` is a JSON Pointer (RFC 6901) to a member or item at any depth: `/sentAt`,
   * `/items/0/at`. Not with `json: 'raw'`. @default []
   */
  readonly exclude?: readonly string[]
  /**
   * Makes the fingerprint an HMAC (RFC 2104) with this key, at least 16 bytes: a bare hash of a short PIN could be
   * guessed from a dump of the store. The same on all hosts. Left out: SHA-256.
   */
  readonly secret?: string | Uint8Array
  /** Earlier settings, by which records that were made under them are still compared. @default [] */
  readonly previous?: readonly Omit<FingerprintOptions, 'previous'>[]
}

/** Makes one short text of parts. */
export type Digest = (parts: readonly (string | Uint8Array)[]) => string

/** One way to make fingerprints, resolved from the options. */
export interface FingerprintRecipe {
  /** Names the algorithm and all of this; kept with each fingerprint. */
  readonly id: string
  readonly json: 'semantic' | 'raw'
  /** Lower case, sorted. */
  readonly headers: readonly string[]
  readonly excluded: ExcludedMembers | undefined
  readonly isExcludedField: IsExcluded
  readonly digest: Digest
}

/** How fingerprints are made, and how they were. */
export interface FingerprintSettings extends FingerprintRecipe {
  readonly previous: readonly FingerprintRecipe[]
}

export const fingerprintSettings = ({
  previous = [],
  ...options
}: FingerprintOptions): FingerprintSettings => ({
  ...recipeOf(options),
  previous: previous.map(recipeOf),
})

const algorithm = '1'

/** No request starts its fingerprint with this: it is no method. */
const idOf = 'the id of settings'

const recipeOf = ({
  json = 'semantic',
  headers = [],
  exclude = [],
  secret,
}: FingerprintOptions): FingerprintRecipe => {
  const names = sorted(headers.map((name) => name.toLowerCase()))
  const members = sorted(exclude)
  const digest = digestWith(secret)
  const isPlain = names.length === 0 && members.length === 0 && secret === undefined
  const extras = isPlain ? '' : `.${digest([idOf, ...names, '', ...members]).slice(0, 8)}`
  return {
    id: `${algorithm}${json === 'raw' ? 'raw' : ''}${secret === undefined ? '' : 'hmac'}${extras}`,
    json,
    headers: names,
    excluded: excludedMembers(members),
    isExcludedField: excludedFields(excludedNames(members)),
    digest,
  }
}

const sorted = (names: readonly string[]): string[] => [...new Set(names)].sort()

/** SHA-256, or HMAC-SHA-256 with a secret, over each part with its length in front: no two lists of parts make one input. */
export const digestWith = (secret?: string | Uint8Array): Digest => {
  // The key is a copy: what the caller does with his bytes afterwards changes nothing.
  const key = secret === undefined ? undefined : createSecretKey(bytesOf(secret))
  return (parts) => {
    const digest = key ? createHmac('sha256', key) : createHash('sha256')
    for (const part of parts) {
      const bytes = bytesOf(part)
      digest.update(`${bytes.length}:`).update(bytes)
    }
    return digest.digest('base64url')
  }
}

const bytesOf = (given: string | Uint8Array): Uint8Array =>
  typeof given === 'string' ? Buffer.from(given, 'utf8') : given
