import type { Events, IdempotencyEvents } from '../src/events.js'

const every: Record<keyof IdempotencyEvents, true> = {
  acquired: true,
  takeover: true,
  replayed: true,
  'in-flight': true,
  mismatch: true,
  doubt: true,
  completed: true,
  failed: true,
  released: true,
  'lease-lost': true,
  'run-limit': true,
  'completion-retried': true,
  'completion-given-up': true,
  'codec-failed': true,
  resolved: true,
  'store-down': true,
  'store-full': true,
  unprotected: true,
  evicted: true,
  warning: true,
}

export interface HeardEvents {
  readonly names: string[]
  readonly details: unknown[]
}

/** Listens to everything, and keeps it in order. */
export const heardEvents = (events: Events): HeardEvents => {
  const heard: HeardEvents = { names: [], details: [] }
  for (const name of Object.keys(every) as (keyof IdempotencyEvents)[]) {
    events.on(name, (detail) => {
      heard.names.push(name)
      heard.details.push(detail)
    })
  }
  return heard
}
