import { type Defect, wrongAcquire, wrongRecord, wrongWrite } from '../defect.js'

const asText = (bytes: Uint8Array): Uint8Array =>
  new TextEncoder().encode(new TextDecoder().decode(bytes))

/** Which part of a text a store took for the whole of it. */
const sameText = (fold: (text: string) => string): Defect => ({
  handle: (store) => ({
    acquire: (claim) => store.acquire({ ...claim, recordKey: fold(claim.recordKey) }),
    renew: (lease, terms) => store.renew({ ...lease, recordKey: fold(lease.recordKey) }, terms),
    complete: (lease, terms) =>
      store.complete({ ...lease, recordKey: fold(lease.recordKey) }, terms),
    fail: (lease, terms) => store.fail({ ...lease, recordKey: fold(lease.recordKey) }, terms),
    release: (lease) => store.release({ ...lease, recordKey: fold(lease.recordKey) }),
    read: (recordKey) => store.read(fold(recordKey)),
  }),
})

/** Stores that read what they should only keep. */
export const contents: { readonly [guarantee: string]: Defect } = {
  'a result comes back byte by byte, whatever the bytes': wrongRecord((next) =>
    next.state === 'completed' ? { ...next, result: asText(next.result) } : next,
  ),
  'an empty result is one': {
    handle: (store) => ({
      read: async (recordKey) => {
        const record = await store.read(recordKey)
        return record?.state === 'completed' && record.result.length === 0 ? undefined : record
      },
    }),
  },
  'a result of one mebibyte comes back whole': wrongRecord((next) =>
    next.state === 'completed' ? { ...next, result: next.result.slice(0, 65_535) } : next,
  ),
  'arrays that were handed in may be used again': { parts: () => ({ copyIn: (bytes) => bytes }) },
  'arrays that were handed out may be written to': { parts: () => ({ copyOut: (bytes) => bytes }) },
  'record keys that differ are different records': sameText((text) => text.normalize('NFC')),
  'fingerprints that differ are different': wrongAcquire((held, claim, now, sound) =>
    held?.fingerprint.trim() === claim.fingerprint.trim()
      ? sound.acquire(held, { ...claim, fingerprint: held.fingerprint }, now)
      : undefined,
  ),
  'tokens that differ are different holders': wrongWrite((held, asked, now, sound) =>
    held?.token.toLowerCase() === asked.token.toLowerCase()
      ? sound.write(held, { ...asked, token: held.token }, now)
      : undefined,
  ),
  'records are independent, even under one token and one fingerprint': {
    handle: (store, { records }) => ({
      release: async (lease) => {
        const answer = await store.release(lease)
        for (const [recordKey, { token }] of records)
          if (token === lease.token) records.delete(recordKey)
        return answer
      },
    }),
  },
}
