import type { IncomingMessage } from 'node:http'
import type { IncomingRequest } from '../request.js'
import { readBody } from './incoming-body.js'

export interface NodeRequestParts<Native> {
  /** What the user's callbacks get. @default the message */
  readonly native: Native
  readonly message: IncomingMessage
  /** The full external path and query. @default the message's URL */
  readonly target?: string
  /** What a parser in front of the layer has left. @default the message's `body` */
  readonly parsed?: () => unknown
  /** The bytes as they came, where that parser has kept them. @default the message's `rawBody` */
  readonly raw?: () => unknown
}

/** Core's view of a request that came through `node:http`. */
export const nodeRequest = <Native>({
  native,
  message,
  target = message.url ?? '',
  parsed = () => (message as { body?: unknown }).body,
  raw = () => (message as { rawBody?: unknown }).rawBody,
}: NodeRequestParts<Native>): IncomingRequest<Native> => ({
  native,
  carrier: message,
  method: message.method ?? '',
  target,
  fieldLines: (name) => rawLines(message.rawHeaders, name),
  readBody: (limit) => readBody(message, { parsed: parsed(), raw: raw() }, limit),
  whenGone: (listener) => {
    const { socket } = message
    if (socket.destroyed) queueMicrotask(listener)
    else socket.once('close', listener)
    return () => socket.off('close', listener)
  },
})

/** From the raw list: elsewhere Node joins lines, and two keys would look like one. */
const rawLines = (raw: readonly string[], name: string): string[] => {
  const lines: string[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]?.toLowerCase() === name) lines.push(raw[at + 1] ?? '')
  }
  return lines
}
