import { formFields, formPairs, parsedFormFields } from './canonical-form.js'
import { canonicalText, canonicalValue, JsonBoundError, maxJsonLength } from './canonical-json.js'
import type { FingerprintRecipe } from './fingerprint-settings.js'
import { betweenBoundaries, boundaryOf } from './multipart.js'
import type { RequestBody } from './request.js'

/**
 * The forms that a body can be compared in, strictest first: its bytes; the document, with numbers as sent; what
 * stands between the boundaries of a multipart body; the pairs of a form as sent; the parsed value; the parsed
 * fields of a form; no body.
 */
export const strictestFirst = [
  'bytes',
  'document',
  'parts',
  'pairs',
  'value',
  'fields',
  'empty',
] as const

export type Form = (typeof strictestFirst)[number]

/** Whoever has the bytes makes every form, whoever has the parsed value makes that form alone. */
export type Forms = Partial<Record<Form, string | Uint8Array | readonly Uint8Array[]>>

export interface BodyToCompare {
  readonly mediaType: string
  /** The Content-Type as sent, for its boundary. */
  readonly contentType: string | undefined
  readonly body: RequestBody
}

export const formsOf = (
  { mediaType, contentType, body }: BodyToCompare,
  recipe: FingerprintRecipe,
): Forms | 'too-large' | 'consumed' => {
  const ofBytes = (bytes: Uint8Array): Forms => {
    if (bytes.length === 0) return { empty: '' }
    if (mediaType.startsWith('multipart/')) return formsOfMultipart(contentType, bytes)
    return formsOfBytes(mediaType, bytes, recipe)
  }
  switch (body.kind) {
    case 'empty':
      return { empty: '' }
    case 'bytes':
      return ofBytes(body.bytes)
    case 'parsed': {
      const { value } = body
      if (value instanceof Uint8Array) return ofBytes(value)
      // A JSON parser that takes bare values leaves a string too: only its value is known then.
      if (typeof value === 'string' && !isJson(mediaType))
        return ofBytes(Buffer.from(value, 'utf8'))
      return formsOfParsed(mediaType, value, recipe)
    }
    default:
      return body.kind
  }
}

const isJson = (mediaType: string): boolean =>
  mediaType === 'application/json' || mediaType.endsWith('+json')
const isForm = (mediaType: string): boolean => mediaType === 'application/x-www-form-urlencoded'

const formsOfMultipart = (contentType: string | undefined, bytes: Uint8Array): Forms => {
  const boundary = boundaryOf(contentType)
  const parts = boundary === undefined ? undefined : betweenBoundaries(bytes, boundary)
  return parts === undefined ? { bytes } : { parts }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

const formsOfBytes = (
  mediaType: string,
  bytes: Uint8Array,
  { json, excluded, isExcludedField }: FingerprintRecipe,
): Forms => {
  const isWalked = isForm(mediaType) || isJson(mediaType)
  if (!isWalked || bytes.length > maxJsonLength) return { bytes }
  try {
    const text = utf8.decode(bytes)
    if (isForm(mediaType)) {
      return {
        pairs: formPairs(text, isExcludedField),
        fields: formFields(text, isExcludedField),
      }
    }
    const value = canonicalValue(JSON.parse(text), excluded)
    return json === 'raw' ? { bytes, value } : { document: canonicalText(text, excluded), value }
  } catch {
    // Malformed, or too deep to walk: then it is what it is, byte for byte.
    return { bytes }
  }
}

const formsOfParsed = (
  mediaType: string,
  value: unknown,
  { excluded, isExcludedField }: FingerprintRecipe,
): Forms | 'too-large' | 'consumed' => {
  // A multipart parser hands the files elsewhere: what it leaves here stands for a part of the body only.
  if (mediaType.startsWith('multipart/')) return 'consumed'
  try {
    if (isForm(mediaType)) return { fields: parsedFormFields(value, isExcludedField) }
    const text = canonicalValue(value, excluded)
    return text.length > maxJsonLength ? 'too-large' : { value: text }
  } catch (error) {
    return error instanceof JsonBoundError || error instanceof RangeError ? 'too-large' : 'consumed'
  }
}
