import { type IdempotencyRecord, plainBytes, recordOf } from '@retrysafe/core'

/** A row of `retrysafe_records`, as it is read; durations are what was left on the server's clock, in milliseconds. */
export interface RecordRow {
  readonly token: string
  readonly fingerprint: string
  readonly state: 'in_flight' | 'completed' | 'failed'
  readonly attempt: number
  /** What the attempt in flight came after; kept, because its holder may ask again. */
  readonly after: 'nothing' | 'failed' | 'abandoned'
  readonly in_doubt: boolean
  readonly lease_ms: number
  readonly life_ms: number
  readonly progress: Uint8Array | null
  readonly result: Uint8Array | null
}

/** How a statement's answers are read, whatever parsers the application has set for its own. */
export const rowTypes = {
  getTypeParser: (oid: number) => parsers.get(oid) ?? ((value: string): unknown => value),
}

const parsers = new Map<number, (value: string) => unknown>([
  [16, (value) => value === 't'],
  [17, (value) => plainBytes(bytea(value))],
  [23, Number],
  [701, Number],
])

/** Both forms of `bytea_output`: hexadecimal, and the older one with octal escapes. */
const bytea = (value: string): Buffer => {
  if (value.startsWith('\\x')) return Buffer.from(value.slice(2), 'hex')
  const unescaped = value.replace(/\\(\\|[0-7]{3})/g, (_, what: string) =>
    what === '\\' ? what : String.fromCharCode(Number.parseInt(what, 8)),
  )
  return Buffer.from(unescaped, 'latin1')
}

/** The record as the port tells it. */
export const toRecord = (row: RecordRow): IdempotencyRecord =>
  recordOf({ ...row, inDoubt: row.in_doubt, leaseMs: row.lease_ms, lifeMs: row.life_ms })

/** The progress, or no member at all. Empty progress is progress. */
export const progressOf = ({ progress }: Pick<RecordRow, 'progress'>) =>
  progress ? { progress } : {}
