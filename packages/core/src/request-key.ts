import { parseKey } from './idempotency-key.js'
import { type KeyOf, wrongWord } from './operations.js'
import { recordKeyOf, type Scope } from './record-key.js'
import { type IncomingRequest, pathOf } from './request.js'
import { type HttpSettings, keyJudge } from './settings.js'

/** In place of a key that is none: the request is refused, also where it needs none. */
export const invalidKey = Symbol('key-invalid')

type Route = readonly [method: string, path: string]

/** Whose key a request bears, and what its record is kept under. */
export const requestKeys = <Native>(settings: HttpSettings<Native>) => {
  const { header, key: takeKey, keyFormat, keyScope, keySyntax, maxKeyLength } = settings
  const isRight = keyJudge(keyFormat)
  const fieldName = header.toLowerCase()

  const keyInField = (request: IncomingRequest<Native>): string | undefined | typeof invalidKey => {
    const lines = request.fieldLines(fieldName)
    if (lines.length === 0) return undefined
    // Two lines are two keys, and no rule says which of them counts.
    return (lines.length === 1 && parseKey(lines[0] ?? '', keySyntax)) || invalidKey
  }

  const recordKey = (scope: Scope, key: string, route: Route): string => {
    const { namespace } = settings
    const parts = { namespace, kind: 'http', scope, key } as const
    return recordKeyOf(keyScope === 'route' ? { ...parts, route } : parts)
  }

  return {
    recordKey,

    keyOf: async (
      request: IncomingRequest<Native>,
    ): Promise<string | undefined | typeof invalidKey> => {
      const key: unknown = takeKey ? await takeKey(request.native) : keyInField(request)
      if (key === undefined) return undefined
      const isSized = typeof key === 'string' && key.length > 0 && key.length <= maxKeyLength
      if (!isSized) return invalidKey
      const judged: unknown = isRight(key)
      // A judge that answers later has not been heard; that it fails must not end the process.
      if (judged instanceof Promise) judged.catch(() => {})
      return judged === true ? key : invalidKey
    },

    /** `undefined` where the application cannot say whose it is. */
    scopeOf: async (native: Native): Promise<Scope | undefined> => {
      if (settings.scope === 'global') return { kind: 'global' }
      try {
        const name = await settings.scope(native)
        return isName(name) ? { kind: 'of', name } : undefined
      } catch {
        return undefined
      }
    },

    /** The same for a key that an operator names. */
    recordKeyOfNamed: ({ scope, key, method, path }: KeyOf): string => {
      const isWhose = settings.scope === 'global' ? scope === undefined : isName(scope)
      if (typeof key !== 'string' || !isWhose)
        throw wrongWord('a key, and its scope unless that is global', partOfRecordKey)
      if ((keyScope === 'route') !== (method !== undefined && path !== undefined))
        throw wrongWord(`method and path with keyScope 'route', and only then`, partOfRecordKey)
      const whose: Scope = scope === undefined ? { kind: 'global' } : { kind: 'of', name: scope }
      return recordKey(whose, key, [method ?? '', pathOf(path ?? '')])
    },
  }
}

const isName = (scope: unknown): scope is string => typeof scope === 'string' && scope !== ''

const partOfRecordKey = 'Each of these is a part of what its record is kept under.'
