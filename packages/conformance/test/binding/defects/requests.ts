import { forgetsSetting, wrongBody, wrongField, wrongOptions, wrongTarget } from '../defect.js'
import type { Defect } from '../reference-harness.js'

const isJson = (type: string): boolean => type === 'application/json'
const isForm = (type: string): boolean => type === 'application/x-www-form-urlencoded'

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const inAnEnvelope = wrongBody((body, type) =>
  body.kind === 'parsed' && isJson(type) && Object.hasOwn(body.value as object, 'b')
    ? { ...body, value: { body: body.value } }
    : undefined,
)

/** What replaces the comparison, or turns it off. */
const replacementForgotten = wrongOptions(({ fingerprint }) =>
  typeof fingerprint === 'object' ? {} : { fingerprint: undefined },
)
const settingsForgotten = forgetsSetting('json', 'headers')

const readAway = wrongBody((_body, _type, message) => {
  message.read()
  return undefined
})

/** Bindings that take other requests for the same one, or spoil their bodies. */
export const requests: { readonly [guarantee: string]: Defect } = {
  'a retry may differ in every field that says nothing of what is asked': wrongOptions(
    ({ fingerprint = {} }) =>
      typeof fingerprint === 'object'
        ? {
            fingerprint: {
              ...fingerprint,
              headers: [...(fingerprint.headers ?? []), 'user-agent'],
            },
          }
        : {},
  ),
  'the query counts as it was sent, in its order': wrongTarget((target) => {
    const [path, query] = target.split('?')
    return query ? `${path}?${query.split('&').sort().join('&')}` : target
  }),
  'the media type counts': wrongField('content-type', (lines) =>
    lines.map((line) => (line === 'application/octet-stream' ? 'text/plain' : line)),
  ),
  'parameters and case of the media type do not count': wrongField('content-type', (lines) =>
    lines.map((line) => line.replace(';', ',')),
  ),
  'no body and an empty body are the same, whatever their media type': wrongBody((body, type) =>
    body.kind === 'empty' && type !== '' ? { kind: 'bytes', bytes: Buffer.from(' ') } : undefined,
  ),
  'a body counts to its last byte': wrongBody((body, type) =>
    body.kind === 'bytes' && type === 'text/plain'
      ? { kind: 'bytes', bytes: body.bytes.subarray(0, -1) }
      : undefined,
  ),
  'fingerprint.headers names fields that count as well': settingsForgotten,
  'JSON that means the same is the same': wrongOptions(({ fingerprint = {} }) =>
    typeof fingerprint === 'object' && fingerprint.exclude === undefined
      ? { fingerprint: { ...fingerprint, json: 'raw' } }
      : {},
  ),
  'JSON that means the same is the same behind a parser': wrongBody((body, type) =>
    body.kind === 'parsed' && isJson(type)
      ? { ...body, value: Object.entries(body.value as object) }
      : undefined,
  ),
  'JSON of different values never collides where the bytes are at hand': wrongBody((body, type) => {
    if (body.kind !== 'bytes' || !isJson(type)) return undefined
    const value = parsed(Buffer.from(body.bytes).toString())
    return value === undefined
      ? undefined
      : { kind: 'bytes', bytes: Buffer.from(JSON.stringify(value)) }
  }),
  'JSON of different values never collides behind a parser': wrongBody((body, type) =>
    body.kind === 'parsed' && isJson(type)
      ? { ...body, value: JSON.parse(JSON.stringify(body.value)) }
      : undefined,
  ),
  'with json raw, the bytes of JSON count': settingsForgotten,
  'JSON that cannot be parsed counts by its bytes': wrongBody((body, type) =>
    body.kind === 'bytes' &&
    isJson(type) &&
    parsed(Buffer.from(body.bytes).toString()) === undefined
      ? { kind: 'bytes', bytes: Buffer.from('{}') }
      : undefined,
  ),
  'a form counts by its decoded pairs, in order': wrongBody((body, type) => {
    if (body.kind !== 'bytes' || !isForm(type)) return undefined
    const pairs = Buffer.from(body.bytes).toString().split('&')
    const nameOf = (pair: string): string => pair.split('=')[0] ?? ''
    const sorted = pairs.sort((one, other) => nameOf(one).localeCompare(nameOf(other)))
    return { kind: 'bytes', bytes: Buffer.from(sorted.join('&')) }
  }),
  'fingerprint(request) replaces what is compared': replacementForgotten,
  'with fingerprint false, the key alone counts': replacementForgotten,
  'with fingerprint false, a body of any size passes': replacementForgotten,
  'JSON that is nested too deep counts by its bytes; where a parser left none, it is refused':
    wrongBody((body, type) =>
      body.kind === 'parsed' && isJson(type) && JSON.stringify(body.value).startsWith('[[[')
        ? { ...body, value: 'deep' }
        : undefined,
    ),
  'a record made on the bytes is replayed behind a parser': inAnEnvelope,
  'a record made behind a parser is replayed on the bytes': inAnEnvelope,
  'a handler reads the bytes of the body as if the layer were not there': readAway,
  'a parser behind the layer finds the whole body': readAway,
  'a body of one mebibyte is compared and comes whole to the handler': readAway,
  'a parser in front of the layer is not disturbed': wrongBody((_body, _type, message) => {
    if ('_body' in message) Object.assign(message, { body: undefined })
    return undefined
  }),
  'a body over maxRequestBody is refused, whether its length is declared or not': wrongBody(
    (body, _type, message) =>
      body.kind === 'too-large' && message.headers['transfer-encoding'] !== undefined
        ? { kind: 'empty' }
        : undefined,
  ),
  'the refusal of a large body reaches a client that sends it to its end before it reads': () => ({
    sent: (message) => {
      setImmediate(() => {
        if (!message.complete) message.socket.destroy()
      })
    },
  }),
  'a body that was read away in front of the layer is a mistake of set-up, not an empty one':
    wrongBody((body, type) =>
      body.kind === 'consumed' && isJson(type) ? { kind: 'empty' } : undefined,
    ),
  'a client that goes while it sends its body has asked for nothing': () => ({
    request: (request) => ({
      ...request,
      readBody: (limit) => request.readBody(limit).catch(() => ({ kind: 'empty' })),
    }),
  }),
}
