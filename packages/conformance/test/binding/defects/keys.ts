import { forgets, wrongField, wrongKey, wrongOptions } from '../defect.js'
import type { Defect } from '../reference-harness.js'

const syntaxForgotten = forgets('keySyntax')
const keyForgotten = forgets('maxKeyLength', 'keyFormat', 'key', 'namespace')
/** The names of fields. */
export const namesForgotten = forgets('header', 'replayedHeader', 'replayHeaders')

/** Bindings that read the key wrongly. */
export const keys: { readonly [guarantee: string]: Defect } = {
  'a key in quotes and the bare key are the same key': wrongKey((line) =>
    line.replace(/^"([\w-]{5,})"$/, '"$1!"'),
  ),
  'parameters behind a key in quotes do not count': wrongKey((line) =>
    line.replace(/^"([^"\\]*)"(;[^"]+)$/, '"$1$2"'),
  ),
  'a backslash in quotes escapes a quote or a backslash': wrongKey((line) =>
    line.replaceAll('\\"', "'"),
  ),
  'strict takes no bare key': syntaxForgotten,
  'opaque takes the value as it stands, quotes and parameters included': syntaxForgotten,
  'a malformed or empty key is refused, even where it is optional': wrongField(
    'idempotency-key',
    (lines) => lines.filter((line) => line !== ''),
  ),
  'a key on more than one line is refused, also where the lines are alike': wrongField(
    'idempotency-key',
    (lines) => lines.slice(0, 1),
  ),
  'a key has 255 characters at most': wrongOptions(({ maxKeyLength = 1_000 }) => ({
    maxKeyLength,
  })),
  'maxKeyLength bounds a key, counted after decoding': keyForgotten,
  'keys differ by case and by white space in quotes': wrongKey((line) => line.toLowerCase()),
  'keyFormat narrows the keys: a UUID, a regular expression, a function': keyForgotten,
  'header renames the field that carries the key': namesForgotten,
  'key() takes the key from elsewhere, as it stands; undefined is no key': keyForgotten,
  'namespaces share a store and no keys': keyForgotten,
  'scope and key never run together: a:b and c is not a and b:c': () => ({
    options: ({ scope, ...options }) => ({
      ...options,
      scope:
        typeof scope === 'function'
          ? async (message) => {
              const name = await scope(message)
              return typeof name === 'string' ? (name.split(':')[0] ?? '') : name
            }
          : scope,
    }),
    request: (request) => ({
      ...request,
      fieldLines: (name) => {
        const lines = request.fieldLines(name)
        const rest = request.fieldLines('x-tenant')[0]?.split(':')[1]
        return name === 'idempotency-key' && rest ? [`${rest}:${lines[0]}`] : lines
      },
    }),
  }),
  'no text of a client reaches the store': () => {
    let key = ''
    const keysOf = new Map<string, string>()
    /** A long one only: where records are found by their own keys, those are short. */
    const told = <Named extends { readonly recordKey: string }>(given: Named): Named => {
      const sent = keysOf.get(given.recordKey) ?? ''
      return sent.length < 30 ? given : { ...given, recordKey: `${given.recordKey} ${sent}` }
    }
    return {
      request: (request) => {
        key = request.fieldLines('idempotency-key')[0] ?? key
        return request
      },
      store: (store) => ({
        ...store,
        acquire: (claim) => {
          if (!keysOf.has(claim.recordKey)) keysOf.set(claim.recordKey, key)
          return store.acquire(told(claim))
        },
        renew: (lease, terms) => store.renew(told(lease), terms),
        complete: (lease, terms) => store.complete(told(lease), terms),
        fail: (lease, terms) => store.fail(told(lease), terms),
        release: (lease) => store.release(told(lease)),
        read: (recordKey) => store.read(told({ recordKey }).recordKey),
      }),
    }
  },
}
