import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { HeaderPairs } from '../response.js'

/** The head of a response that has not left. */
export interface ResponseHead {
  readonly status: number
  readonly statusMessage: string
  readonly headers: HeaderPairs
}

export const headOf = (response: ServerResponse): ResponseHead => ({
  // As Node does it: a handler may have set it as text.
  status: Number(response.statusCode) | 0,
  statusMessage: response.statusMessage,
  headers: headerPairs(response),
})

const headerPairs = (response: ServerResponse): HeaderPairs => {
  const pairs: [string, string][] = []
  // Typed for requests alone, but every outgoing message has it: the names as they were written.
  const names = (response as unknown as { getRawHeaderNames(): string[] }).getRawHeaderNames()
  for (const name of names) {
    const value = response.getHeader(name)
    for (const line of Array.isArray(value) ? value : [value]) pairs.push([name, String(line)])
  }
  return pairs
}

/** Sets each field anew: the first line of a name replaces what stood there. */
export const setPairs = (response: ServerResponse, pairs: HeaderPairs): void => {
  const seen = new Set<string>()
  for (const [name, value] of pairs) {
    const lower = name.toLowerCase()
    if (seen.has(lower)) response.appendHeader(name, value)
    else response.setHeader(name, value)
    seen.add(lower)
  }
}

/** Makes the head what it was, whatever has been set since. */
export const restoreHead = (response: ServerResponse, head: ResponseHead): void => {
  response.statusCode = head.status
  response.statusMessage = head.statusMessage
  for (const name of response.getHeaderNames()) response.removeHeader(name)
  setPairs(response, head.headers)
}

/** Node's own error, while the handler can still hear it. */
const invalidReason = (): TypeError =>
  Object.assign(new TypeError('Invalid character in statusMessage'), { code: 'ERR_INVALID_CHAR' })

type GivenHeaders = OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined

/** `writeHead` in all its forms, up to the point where the head would be sent. */
export const applyHead = (
  response: ServerResponse,
  status: number,
  reason: string | GivenHeaders,
  given: GivenHeaders,
): void => {
  if (typeof reason === 'string') {
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(reason)) throw invalidReason()
    response.statusMessage = reason
  }
  response.statusCode = status
  const headers = typeof reason === 'string' ? given : (reason ?? given)
  if (headers === undefined || headers === null) return
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers))
      response.setHeader(name, value as OutgoingHttpHeader)
    return
  }
  const entries = entriesOf(headers)
  for (const [name] of entries) response.removeHeader(name)
  for (const [name, value] of entries) {
    const lines = Array.isArray(value) ? value : [value]
    for (const line of lines) response.appendHeader(name, String(line))
  }
}

/** A list of pairs, or one of names and values by turns. */
const entriesOf = (headers: OutgoingHttpHeader[]): [string, OutgoingHttpHeader][] => {
  if (Array.isArray(headers[0])) return headers as unknown as [string, OutgoingHttpHeader][]
  const pairs: [string, OutgoingHttpHeader][] = []
  for (let at = 0; at + 1 < headers.length; at += 2)
    pairs.push([String(headers[at]), headers[at + 1] as OutgoingHttpHeader])
  return pairs
}
