/** RFC 2046, section 5.1.1. The search for a longer one could take long. */
const maxBoundaryLength = 70

/** The boundary of a multipart media type; `undefined` where it has none. */
export const boundaryOf = (contentType: string | undefined): string | undefined => {
  const [, value = ''] =
    /;[ \t]*boundary[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^;]*)/i.exec(contentType ?? '') ?? []
  const boundary = value.startsWith('"')
    ? value.slice(1, -1).replace(/\\(.)/g, '$1')
    : value.trimEnd()
  return boundary.length > 0 && boundary.length <= maxBoundaryLength ? boundary : undefined
}

const [tab, lineFeed, carriageReturn, space, dash] = [9, 10, 13, 32, 45]

/**
 * What stands between the boundaries, which a client makes anew for each attempt. With the boundary the pieces
 * give the body again, so bodies of the same pieces differ in it alone. `undefined` where no line is a delimiter.
 */
export const betweenBoundaries = (
  bytes: Uint8Array,
  boundary: string,
): readonly Uint8Array[] | undefined => {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const delimiter = Buffer.from(`--${boundary}`, 'latin1')
  const isLineBreak = (at: number): boolean =>
    body[at] === carriageReturn && body[at + 1] === lineFeed

  const pieces: Uint8Array[] = []
  let start = 0
  for (let at = body.indexOf(delimiter); at >= 0; at = body.indexOf(delimiter, at + 1)) {
    const end = at + delimiter.length
    const isLast = body[end] === dash && body[end + 1] === dash
    let rest = isLast ? end + 2 : end
    while (body[rest] === space || body[rest] === tab) rest++
    const isLine =
      (at === 0 || isLineBreak(at - 2)) && (isLineBreak(rest) || (isLast && rest === body.length))
    if (!isLine) continue
    pieces.push(body.subarray(start, at))
    start = end
    // What follows is an epilogue, and no line of it is a delimiter.
    if (isLast) break
  }
  return pieces.length === 0 ? undefined : [...pieces, body.subarray(start)]
}
