import { gunzipSync } from 'node:zlib'
import { forgetsSetting, wrongBody, wrongField, wrongOptions } from '../defect.js'
import type { Defect } from '../reference-harness.js'

const exclusionForgotten = forgetsSetting('exclude')

const unfolded = (bytes: Uint8Array): Uint8Array | undefined => {
  try {
    return gunzipSync(bytes)
  } catch {
    return undefined
  }
}

/** Bindings that hand on the settings of the comparison wrongly, or the fields that say how a body is wrapped. */
export const fingerprintSettings: { readonly [guarantee: string]: Defect } = {
  'fingerprint.exclude leaves members out': exclusionForgotten,
  'fingerprint.exclude leaves members out behind a parser': exclusionForgotten,
  'with fingerprint.exclude, records are replayed on the bytes and behind a parser':
    exclusionForgotten,
  'with fingerprint.secret, a record says nothing to who has another secret, or none':
    forgetsSetting('secret'),
  'fingerprint.previous compares what was recorded under earlier settings':
    forgetsSetting('previous'),
  'a wrong setting of the fingerprint is an error at construction, which shows no secret':
    wrongOptions(({ fingerprint }) =>
      typeof fingerprint === 'object' && fingerprint.secret === 'hush'
        ? { fingerprint: { ...fingerprint, secret: 'hush'.repeat(10) } }
        : {},
    ),
  'a multipart body is the same under another boundary': wrongField('content-type', (lines) =>
    lines.map((line) => (line.startsWith('multipart/') ? line.replace('boundary=', 'b=') : line)),
  ),
  'a body in a content coding is the body that was sent plain': wrongField(
    'content-encoding',
    (lines) => lines.map((line) => line.replace(/^br$/i, 'brotli')),
  ),
  'a coded body that unfolds to more than maxRequestBody is refused': wrongBody(
    (body, _type, { headers }) => {
      const bytes =
        body.kind === 'bytes' && headers['content-encoding'] === 'gzip'
          ? unfolded(body.bytes)
          : undefined
      return bytes && { kind: 'bytes', bytes }
    },
  ),
  'a body in an unknown coding, or one that cannot be decoded, counts by its bytes': wrongBody(
    (body, _type, { headers }) =>
      body.kind === 'bytes' && headers['content-encoding'] === 'x-own'
        ? { kind: 'bytes', bytes: Buffer.from('something') }
        : undefined,
  ),
}
