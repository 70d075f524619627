import type { ServerResponse } from 'node:http'
import { fieldLines } from '../response.js'
import type { NativeResponse } from './native-response.js'
import { headOf, type ResponseHead } from './response-head.js'

/** The head of a captured response: decided by the handler, and for it sent, while none of it has left. */
export interface SealedHead {
  /** As the handler has decided it; `undefined` while it may still change. */
  readonly decided: ResponseHead | undefined
  /** The length that it declares. */
  readonly declaredLength: number | undefined
  /** What stands now is decided: from here on it is, for the handler, sent. */
  seal(): void
  sealOnce(): void
  /** Before the head leaves: it is the decided one, for a status that the handler sets later comes too late. */
  restoreDecided(): void
  /** For the handler the answer has come to its end. */
  pretendEnd(): void
  /** Ends the pretence that head and end have left. */
  reveal(): void
  /** Nothing is decided. */
  unseal(): void
}

export const createSealedHead = (response: ServerResponse, native: NativeResponse): SealedHead => {
  const prototype: object = Object.getPrototypeOf(response)
  let decided: ResponseHead | undefined
  let declaredLength: number | undefined

  return {
    get decided() {
      return decided
    },
    get declaredLength() {
      return declaredLength
    },
    seal: () => {
      decided = headOf(response)
      const length = fieldLines(decided.headers, 'content-length')[0]
      declaredLength = length === undefined ? undefined : Number(length)
      // Those who patched the response in front of us have work to do when the head really leaves.
      Object.defineProperty(response, 'headersSent', {
        configurable: true,
        get: () => !native.isRunning() || Reflect.get(prototype, 'headersSent', response),
      })
    },
    sealOnce: () => {
      // Through the outermost writeHead, so that those who set headers at the last moment do so before we look.
      if (decided === undefined) response.writeHead(response.statusCode)
    },
    restoreDecided: () => {
      if (decided === undefined) return
      response.statusCode = decided.status
      response.statusMessage = decided.statusMessage
    },
    pretendEnd: () => void Object.assign(response, { finished: true }),
    reveal: () => {
      Reflect.deleteProperty(response, 'headersSent')
      Object.assign(response, { finished: false })
    },
    unseal: () => {
      decided = undefined
      declaredLength = undefined
    },
  }
}
