/** What a binding makes of its framework's request. */
export interface IncomingRequest<Native> {
  /** What the user's callbacks get. */
  readonly native: Native
  /** One object per request, the same at every mount: by it, a second mount finds the first. */
  readonly carrier: object
  readonly method: string
  /** The full external path and query, as sent, also inside a mounted sub-application. */
  readonly target: string
  /** Every line of a field, in order; the name in lower case. */
  fieldLines(name: string): readonly string[]
  /**
   * The body, still readable for everyone after this. At most `limit` bytes are buffered. Rejects when the
   * client goes away in the middle.
   */
  readBody(limit: number): Promise<RequestBody>
  /** Calls the listener, once, when the client has gone away; answers the function that ends it. Asked only where a request waits. */
  whenGone(listener: () => void): () => void
}

export type RequestBody =
  | { readonly kind: 'empty' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** What a parser in front of the layer has made of it. */
  | { readonly kind: 'parsed'; readonly value: unknown }
  | { readonly kind: 'too-large' }
  /** Read in front of the layer, and nothing stands for all of it. */
  | { readonly kind: 'consumed' }

/** How much of a refused body is read away, so that its client comes to read the answer; then the connection is given up. */
export const restOfBody = { maxBytes: 16 * 1024 * 1024, maxMs: 10_000 } as const

/** Type and subtype in lower case, without parameters (RFC 9110, section 8.3.1). */
export const mediaType = (contentType: string | undefined): string =>
  (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''

/** The path of a target, without its query. */
export const pathOf = (target: string): string => target.split('?', 1)[0] ?? ''
