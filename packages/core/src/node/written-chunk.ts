export type WriteCallback = (error?: Error | null) => void

/** What `write` and `end` were given, in any of their forms. */
export interface WrittenChunk {
  /** `undefined` where there is no chunk, or none that Node takes. */
  readonly bytes: Uint8Array | undefined
  /** Whether there is none, which `end` may do and `write` may not. */
  readonly isNone: boolean
  readonly callback: WriteCallback | undefined
}

export const writtenChunk = (given: readonly unknown[]): WrittenChunk => ({
  bytes: bytesOf(given[0], given[1]),
  isNone: given[0] === undefined || given[0] === null || typeof given[0] === 'function',
  callback: given.find((value) => typeof value === 'function') as WriteCallback | undefined,
})

const bytesOf = (chunk: unknown, encoding: unknown): Uint8Array | undefined => {
  if (chunk instanceof Uint8Array) return chunk
  if (typeof chunk !== 'string') return undefined
  return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
}
