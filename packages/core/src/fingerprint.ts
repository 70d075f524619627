import { createHash } from 'node:crypto'
import { formFields, formPairs, parsedFormFields } from './canonical-form.js'
import { canonicalText, canonicalValue, JsonBoundError, maxJsonLength } from './canonical-json.js'
import type { RequestBody } from './request.js'

/** What a fingerprint covers, resolved from the options. */
export interface FingerprintSettings {
  /** `semantic`: JSON that means the same is the same. `raw`: its bytes count. */
  readonly json: 'semantic' | 'raw'
  /** Header fields that count as well; lower case, sorted. */
  readonly headers: readonly string[]
}

export const fingerprintSettings = ({
  json = 'semantic',
  headers = [],
}: {
  readonly json?: 'semantic' | 'raw'
  readonly headers?: readonly string[]
}): FingerprintSettings => ({
  json,
  headers: headers.map((name) => name.toLowerCase()).sort(),
})

/** Everything of a request that may count. */
export interface FingerprintSource {
  readonly method: string
  readonly target: string
  readonly mediaType: string
  readonly fieldLines: (name: string) => readonly string[]
  readonly body: RequestBody
}

export type Fingerprinted =
  | { readonly kind: 'fingerprint'; readonly fingerprint: string }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'consumed' }

/**
 * The forms that a body can be compared in, strictest first: its bytes; the document, with numbers as sent; the
 * pairs of a form as sent; the parsed value; the parsed fields of a form; no body.
 */
const strictestFirst = ['bytes', 'document', 'pairs', 'value', 'fields', 'empty'] as const
type Form = (typeof strictestFirst)[number]
type Forms = Partial<Record<Form, string | Uint8Array>>

const algorithm = '1'

/** The comparison is off: nothing of the request counts. */
export const anyRequest = 'any:'

/** The fingerprint of what the user's own function answers. */
export const customFingerprint = (value: string | Uint8Array): string =>
  // UTF-16: in UTF-8 every lone surrogate becomes the same replacement.
  write('custom', {
    bytes: hash([typeof value === 'string' ? Buffer.from(value, 'utf16le') : value]),
  })

/**
 * SHA-256 over method, target, media type, chosen headers and body, one for each form that can be made of the
 * body. Whoever has the bytes makes every form, whoever has the parsed value makes that form alone; two requests
 * are compared by the strictest form that both have.
 */
export const fingerprintOf = (
  source: FingerprintSource,
  settings: FingerprintSettings,
): Fingerprinted => {
  const forms = formsOf(source, settings.json)
  if (forms === 'too-large' || forms === 'consumed') return { kind: forms }
  const isEmpty = forms.empty !== undefined
  const common = [
    source.method,
    source.target,
    isEmpty ? '' : source.mediaType,
    ...settings.headers.flatMap((name) => {
      const lines = source.fieldLines(name)
      return [name, String(lines.length), ...lines]
    }),
  ]
  const hashes: Partial<Record<Form, string>> = {}
  for (const form of strictestFirst) {
    const content = forms[form]
    if (content !== undefined) hashes[form] = hash([...common, form, content])
  }
  return { kind: 'fingerprint', fingerprint: write(settingsId(settings), hashes) }
}

/** `unreadable`: made by an algorithm or settings that this process cannot compute. */
export const compareFingerprints = (
  mine: string,
  theirs: string,
): 'same' | 'different' | 'unreadable' => {
  if (mine === theirs || mine === anyRequest) return 'same'
  const [myId, myForms] = read(mine)
  const [theirId, theirForms] = read(theirs)
  if (myId !== theirId) return 'unreadable'
  const shared = strictestFirst.find((form) => myForms.has(form) && theirForms.has(form))
  return shared !== undefined && myForms.get(shared) === theirForms.get(shared)
    ? 'same'
    : 'different'
}

const formsOf = (
  { mediaType, body }: FingerprintSource,
  json: FingerprintSettings['json'],
): Forms | 'too-large' | 'consumed' => {
  switch (body.kind) {
    case 'empty':
      return { empty: '' }
    case 'bytes':
      return body.bytes.length === 0 ? { empty: '' } : formsOfBytes(mediaType, body.bytes, json)
    case 'parsed':
      return formsOfParsed(mediaType, body.value, json)
    default:
      return body.kind
  }
}

const isJson = (mediaType: string): boolean =>
  mediaType === 'application/json' || mediaType.endsWith('+json')
const isForm = (mediaType: string): boolean => mediaType === 'application/x-www-form-urlencoded'

const utf8 = new TextDecoder('utf-8', { fatal: true })

const formsOfBytes = (
  mediaType: string,
  bytes: Uint8Array,
  json: FingerprintSettings['json'],
): Forms => {
  const isWalked = isForm(mediaType) || isJson(mediaType)
  if (!isWalked || bytes.length > maxJsonLength) return { bytes }
  try {
    const text = utf8.decode(bytes)
    if (isForm(mediaType)) return { pairs: formPairs(text), fields: formFields(text) }
    const value = canonicalValue(JSON.parse(text))
    return json === 'raw' ? { bytes, value } : { document: canonicalText(text), value }
  } catch {
    // Malformed, or too deep to walk: then it is what it is, byte for byte.
    return { bytes }
  }
}

const formsOfParsed = (
  mediaType: string,
  value: unknown,
  json: FingerprintSettings['json'],
): Forms | 'too-large' | 'consumed' => {
  if (value instanceof Uint8Array || typeof value === 'string') {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
    // A JSON parser that takes bare values leaves a string too: only its value is known then.
    const isBareJson = typeof value === 'string' && isJson(mediaType)
    if (!isBareJson)
      return bytes.length === 0 ? { empty: '' } : formsOfBytes(mediaType, bytes, json)
  }
  // A multipart parser hands the files elsewhere: what it leaves here stands for a part of the body only.
  if (mediaType.startsWith('multipart/')) return 'consumed'
  try {
    if (isForm(mediaType)) return { fields: parsedFormFields(value) }
    const text = canonicalValue(value)
    return text.length > maxJsonLength ? 'too-large' : { value: text }
  } catch (error) {
    return error instanceof JsonBoundError || error instanceof RangeError ? 'too-large' : 'consumed'
  }
}

const settingsId = ({ json, headers }: FingerprintSettings): string => {
  const extras = headers.length === 0 ? '' : `.${hash(headers).slice(0, 8)}`
  return `${algorithm}${json === 'raw' ? 'raw' : ''}${extras}`
}

/** Each part with its length in front, so that no two lists of parts make one input. */
const hash = (parts: readonly (string | Uint8Array)[]): string => {
  const digest = createHash('sha256')
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part
    digest.update(`${bytes.length}:`).update(bytes)
  }
  return digest.digest('base64url')
}

const write = (id: string, hashes: Partial<Record<Form, string>>): string =>
  `${id}:${Object.entries(hashes)
    .map(([form, value]) => `${form}=${value}`)
    .join(',')}`

const read = (fingerprint: string): [id: string, forms: Map<string, string>] => {
  const colon = fingerprint.indexOf(':')
  const forms = fingerprint
    .slice(colon + 1)
    .split(',')
    .map((entry): [string, string] => {
      const equals = entry.indexOf('=')
      return [entry.slice(0, equals), entry.slice(equals + 1)]
    })
  return [fingerprint.slice(0, colon), new Map(forms)]
}
