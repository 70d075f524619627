import { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Writable } from 'node:stream'
import { type ResponseHead, restoreHead } from './response-head.js'

/**
 * A response that nobody receives, for a handler that is still at work when its own is out of reach. Its record is
 * ended by what is written here.
 */
export interface StandIn {
  readonly response: ServerResponse
  /** Somebody in front of the layer has `answered` in the handler's place, or the client has `gone`. */
  readonly reason: 'answered' | 'gone'
  /** The answer cannot be had: where its status would be kept, the record is completed without it. */
  lose(): void
}

/** A response to the same request, as far along as `head`, whose client takes everything at once. */
export const unreceivedResponse = (
  response: ServerResponse,
  head: ResponseHead,
): ServerResponse => {
  const unreceived = new ServerResponse(response.req)
  const sink = new Writable({ write: (_chunk, _encoding, done) => done() })
  // It is destroyed with the error of a source that fails; on a connection Node hears of that.
  sink.on('error', () => {})
  unreceived.assignSocket(sink as Socket)
  restoreHead(unreceived, head)
  return unreceived
}
