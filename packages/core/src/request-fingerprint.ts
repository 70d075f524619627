import {
  anyRequest,
  customFingerprint,
  type EarlierFingerprint,
  fingerprintOf,
} from './fingerprint.js'
import { fingerprintSettings } from './fingerprint-settings.js'
import { type IncomingRequest, mediaType } from './request.js'
import { withoutCoding } from './request-coding.js'
import type { HttpSettings } from './settings.js'

/** What a request is compared by, or why it cannot be. */
export type Compared =
  | {
      readonly kind: 'fingerprint'
      readonly fingerprint: string
      readonly earlier?: EarlierFingerprint
    }
  | { readonly kind: 'refused'; readonly code: 'body-too-large' | 'body-consumed' }

/** Makes the fingerprint of a request as the options have it. */
export const requestFingerprint = <Native>({
  fingerprint,
  maxRequestBody,
}: HttpSettings<Native>): ((request: IncomingRequest<Native>) => Promise<Compared>) => {
  if (fingerprint === false) {
    return async () => ({ kind: 'fingerprint', fingerprint: anyRequest })
  }
  if (typeof fingerprint === 'function') {
    return async ({ native }) => ({
      kind: 'fingerprint',
      fingerprint: customFingerprint(await fingerprint(native)),
    })
  }
  const settings = fingerprintSettings(fingerprint)
  return async (request) => {
    const made = fingerprintOf(
      {
        method: request.method,
        target: request.target,
        mediaType: mediaType(request.fieldLines('content-type')[0]),
        fieldLines: request.fieldLines,
        body: await withoutCoding(
          await request.readBody(maxRequestBody),
          request.fieldLines('content-encoding'),
          maxRequestBody,
        ),
      },
      settings,
    )
    if (made.kind === 'fingerprint') return made
    return { kind: 'refused', code: made.kind === 'too-large' ? 'body-too-large' : 'body-consumed' }
  }
}
