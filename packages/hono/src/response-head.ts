import type { HeaderPairs } from '@retrysafe/core'
import { headerPairs } from '@retrysafe/core/fetch'
import type { Context } from 'hono'

/**
 * The fields that `c.header()` has set so far. Not by `c.res`: looking at that makes a response which from then on wins
 * over the handler's.
 */
export const headersSoFar = (c: Context): HeaderPairs =>
  headerPairs(c.newResponse(null, 200).headers)

/** Remembers status and fields set so far; answers the function that brings them back. */
export const saveHead = (c: Context): (() => void) => {
  const { status } = c.newResponse(null)
  const headers = headersSoFar(c)
  return () => {
    // Somebody in front of the layer has answered meanwhile: that head is not ours to change.
    if (c.finalized) return
    for (const [name] of headersSoFar(c)) c.header(name, undefined)
    for (const [name, value] of headers) c.header(name, value, { append: true })
    c.status(status as never)
  }
}

/** Gives an answer. Over one that is there already, Hono would copy the fields of that one field by field. */
export const give = (c: Context, response: Response): void => {
  c.res = undefined
  c.res = response
}
