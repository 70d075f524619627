import { createHash } from 'node:crypto'

/** Whose key it is: the one space that all callers share, or one caller's. */
export type Scope = { readonly kind: 'global' } | { readonly kind: 'of'; readonly name: string }

export interface RecordKeyParts {
  /** Tells applications that share a store apart. */
  readonly namespace: string
  readonly kind: 'http' | 'run'
  readonly scope: Scope
  readonly key: string
  /** Method and path, where they are part of the key. */
  readonly route?: readonly [method: string, path: string]
}

/** What the store is keyed by: a hash, so that no client's text reaches it. */
export const recordKeyOf = ({
  namespace,
  kind,
  scope,
  key,
  route = ['', ''],
}: RecordKeyParts): string =>
  digest([
    namespace,
    kind,
    scope.kind,
    scope.kind === 'of' ? scope.name : '',
    key,
    ...route,
  ]).toString('base64url')

/**
 * A key to hand to a downstream API: the same for every attempt, from record key and name alone. Shaped as a
 * UUID of version 8 (RFC 9562, section 5.8), which every API takes.
 */
export const derivedKeyOf = (recordKey: string, name: string): string => {
  const bytes = digest(['derived', recordKey, name])
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex', 0, 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/**
 * Each part with its length in front, so that `a:b` + `c` is not `a` + `b:c`. UTF-16, since UTF-8 has one
 * replacement for every lone surrogate and two keys would meet.
 */
const digest = (parts: readonly string[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}:`).update(part, 'utf16le')
  return hash.digest()
}
