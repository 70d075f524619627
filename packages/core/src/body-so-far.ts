/** What a handler has written of its body, as far as it can be kept. */
export interface BodySoFar {
  /** In bytes, kept or not. */
  readonly size: number
  /** Whether it has grown longer than can be kept. */
  readonly isTooLong: boolean
  /** Takes a chunk and answers a copy: the handler may fill its buffer again while the answer is kept back. */
  add(chunk: Uint8Array): Uint8Array
  /** All of it; `undefined` where it is too long. */
  whole(): Uint8Array | undefined
}

/** @param longest In bytes. */
export const createBodySoFar = (longest: number): BodySoFar => {
  let chunks: Uint8Array[] = []
  let size = 0
  return {
    get size() {
      return size
    },
    get isTooLong() {
      return size > longest
    },
    add(chunk) {
      const copy = Buffer.from(chunk)
      size += copy.length
      if (size > longest) chunks = []
      else chunks.push(copy)
      return copy
    },
    whole: () => (size > longest ? undefined : Buffer.concat(chunks, size)),
  }
}
