import type { RequestBody } from '@retrysafe/core'
import type { HonoRequest } from 'hono'

type Cache = Partial<Record<'arrayBuffer' | 'blob' | 'text' | 'formData' | 'json', unknown>>

/**
 * The body as a parser in front of the layer has left it: Hono keeps what it read by `c.req`. `undefined` where nothing
 * was, or where that failed.
 */
export const bodyInCache = async (request: HonoRequest): Promise<RequestBody | undefined> => {
  const cache = request.bodyCache as Cache
  try {
    if (cache.arrayBuffer) return bytes(new Uint8Array((await cache.arrayBuffer) as ArrayBuffer))
    if (cache.blob) return bytes(new Uint8Array(await ((await cache.blob) as Blob).arrayBuffer()))
    if (cache.text) return ofText((await cache.text) as string, request)
    if (cache.formData) return ofForm((await cache.formData) as FormData)
    if (cache.json) return { kind: 'parsed', value: await cache.json }
    return undefined
  } catch {
    return { kind: 'consumed' }
  }
}

const bytes = (content: Uint8Array): RequestBody =>
  content.length === 0 ? { kind: 'empty' } : { kind: 'bytes', bytes: content }

/** Bytes that are no UTF-8 all became the same character: then the text stands for more than one body. */
const ofText = (text: string, request: HonoRequest): RequestBody => {
  const content = Buffer.from(text, 'utf8')
  const declared = request.raw.headers.get('content-length')
  const isExact = !text.includes('\ufffd') || declared === String(content.length)
  return isExact ? bytes(content) : { kind: 'consumed' }
}

/** The pairs of a form are all there is in it; a multipart body has more, and what was no UTF-8 is lost. */
const ofForm = (form: FormData): RequestBody => {
  const pairs: [string, string][] = []
  for (const [name, value] of form) {
    if (typeof value !== 'string' || `${name}${value}`.includes('\ufffd')) {
      return { kind: 'consumed' }
    }
    pairs.push([name, value])
  }
  return bytes(Buffer.from(new URLSearchParams(pairs).toString(), 'utf8'))
}
