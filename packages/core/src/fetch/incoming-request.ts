import type { IncomingRequest, RequestBody } from '../request.js'
import { createRequestBody } from './request-body.js'

export interface FetchRequestParts<Native> {
  /** What the user's callbacks get. */
  readonly native: Native
  readonly request: Request
  /** The full external path and query. @default those of the request's URL */
  readonly target?: string
  /** One object per request, the same at every mount. @default the request as it came in */
  readonly carrier?: object
  /**
   * The lines of a field as they were sent, where the server still has them; the name in lower case. `Headers`
   * joins lines, and two keys look like one that has a comma in it.
   */
  readonly rawLines?: (name: string) => readonly string[]
  /** The body, where something in front of the layer or the server itself has it; else it is read from the request. */
  readonly bodyInFront?: (limit: number) => Promise<RequestBody | undefined>
  /** Told when the body was read from the request: the one to go on with in its place. */
  readonly onRead?: (request: Request) => void
}

export interface FetchRequest<Native> extends IncomingRequest<Native> {
  /** The request to go on with. Its body is readable, also where the layer has read it. */
  readonly request: Request
  /** Reads away what is left of a body that was too large; `undefined` where nothing is. */
  readonly readRest: (() => Promise<void>) | undefined
}

/** What a request came in as, by those that were put in its place. */
const carriers = new WeakMap<Request, object>()

/** Core's view of a `Request`. */
export const fetchRequest = <Native>({
  native,
  request,
  target = targetOf(request.url),
  carrier = carriers.get(request) ?? request,
  rawLines,
  bodyInFront,
  onRead,
}: FetchRequestParts<Native>): FetchRequest<Native> => {
  const body = createRequestBody(request, (next) => {
    carriers.set(next, carrier)
    onRead?.(next)
  })
  return {
    native,
    carrier,
    method: request.method,
    target,
    fieldLines: (name) => {
      const joined = request.headers.get(name)
      if (joined === null) return []
      const lines = rawLines?.(name)
      // Something in front of the layer may have changed the field since.
      return lines?.join(', ') === joined ? lines : [joined]
    },
    readBody: async (limit) => body.check((await bodyInFront?.(limit)) ?? (await body.read(limit))),
    whenGone: (listener) => {
      // Asked for only here: on a server that makes its signals on demand, each costs.
      const { signal } = request
      let isHeard = true
      const hear = (): void => {
        if (isHeard) listener()
        isHeard = false
      }
      if (signal.aborted) queueMicrotask(hear)
      else signal.addEventListener('abort', hear, { once: true })
      return () => {
        isHeard = false
        signal.removeEventListener('abort', hear)
      }
    },
    get request() {
      return body.request
    },
    get readRest() {
      return body.readRest
    },
  }
}

/** Path and query as the URL has them, without what comes before. */
const targetOf = (url: string): string => {
  const from = url.indexOf('/', url.indexOf('//') + 2)
  const fragment = url.indexOf('#')
  return url.slice(from, fragment < 0 ? undefined : fragment)
}
