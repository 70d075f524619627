import type { Begun } from '@retrysafe/core'
import { forgets, wrongOptions } from '../defect.js'
import type { Defect } from '../reference-harness.js'

const space = (): string => 'global'

const reachForgotten = forgets('methods', 'skip')

/** Bindings that are for other requests than they should be. */
export const applying: { readonly [guarantee: string]: Defect } = {
  'POST and PATCH are protected, PUT and DELETE are not': wrongOptions(
    ({ methods = ['POST'] }) => ({ methods }),
  ),
  'methods says which methods are protected': reachForgotten,
  'GET, HEAD and OPTIONS pass, whatever key they bear': () => ({
    request: (request) => ({
      ...request,
      method: request.method === 'GET' ? 'POST' : request.method,
    }),
  }),
  'a safe method in methods is an error at construction': reachForgotten,
  'without a key a request passes, and the store is not asked': () => ({
    captured: (response, { execution }) => {
      if (!execution.protected) response.setHeader('X-Unprotected', '1')
    },
  }),
  'required refuses a request without a key': () => ({
    begin: async (begin, request) => {
      const begun = await begin()
      const isBare = request.fieldLines('idempotency-key').length === 0
      const isEmpty = request.fieldLines('content-length')[0] === '0'
      return isBare && isEmpty ? { kind: 'bypass', http: begun.http } : begun
    },
  }),
  'skip lets a request pass, with its key': reachForgotten,
  'the same key of another scope is another request': wrongOptions(({ scope }) => ({
    scope:
      typeof scope === 'function'
        ? async (message: never) => (await scope(message)) && 'shared'
        : scope,
  })),
  'a scope that answers nothing, no text, or throws is refused, and the store is not asked':
    wrongOptions(({ scope }) => ({
      scope:
        typeof scope === 'function' ? async (message: never) => `${await scope(message)}` : scope,
    })),
  'leaving the scope out is an error at construction that says why it matters': wrongOptions(
    ({ scope = 'global' }) => ({ scope }),
  ),
  'a function that answers "global" is not the space that all callers share': wrongOptions(
    ({ scope }) => ({ scope: scope === 'global' ? space : scope }),
  ),
  'the scope may be found out later, and is asked only where there is a key': () => {
    let ask: (message: never) => unknown = () => undefined
    return {
      options: (options) => {
        if (typeof options.scope === 'function') ask = options.scope
        return options
      },
      begin: async (begin, request) => {
        if (request.fieldLines('idempotency-key').length === 0) ask(request.native as never)
        return begin()
      },
    }
  },
  'mounted twice with equal options, it claims once': () => ({
    request: (request) => ({ ...request, carrier: {} }),
  }),
  'mounted twice with different options, the error names the option, and nothing has run': () => {
    const first = new WeakMap<object, Begun>()
    return {
      begin: async (begin, { carrier }) => {
        const before = first.get(carrier)
        if (before) return { kind: 'bypass', http: before.http }
        const begun = await begin()
        if (begun.kind === 'execute') first.set(carrier, begun)
        return begun
      },
    }
  },
  'what the outer layer let pass, the inner one takes as if it stood alone': () => {
    const first = new WeakMap<object, Begun>()
    return {
      begin: async (begin, { carrier }) => {
        const before = first.get(carrier)
        if (before?.kind === 'bypass') return before
        const begun = await begin()
        first.set(carrier, begun)
        return begun
      },
    }
  },
  'mounted twice, it runs unprotected once where the store is down and that is wished for': () => {
    const read = new WeakSet<object>()
    return {
      request: (request) => ({
        ...request,
        readBody: async (limit) => {
          if (read.has(request.native)) return { kind: 'consumed' }
          read.add(request.native)
          return request.readBody(limit)
        },
      }),
    }
  },
  'on the whole application, it protects every route': () => ({
    request: (request) => ({
      ...request,
      method: request.target.startsWith('/shop/') ? 'GET' : request.method,
    }),
  }),
}
