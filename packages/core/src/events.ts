import type { IdempotencyStore, StoreNotice } from './store.js'

/** What every event of a key tells: never the key, never a body. */
export interface KeyDetail {
  /** The record key, a hash. */
  readonly keyHash: string
  readonly scope: string
  /** 0 where no attempt is known. */
  readonly attempt: number
  /** Since the request came in. */
  readonly durationMs: number
}

export interface IdempotencyEvents {
  /** A handler starts. */
  acquired: KeyDetail
  /** A handler starts again on a key that was abandoned or had failed. */
  takeover: KeyDetail & { readonly after: 'failed' | 'abandoned' }
  /** An answer was given from the record. */
  replayed: KeyDetail
  /** A duplicate came while the first was running. */
  'in-flight': KeyDetail
  /** A key came with another request. */
  mismatch: KeyDetail
  /** A key whose outcome is unknown was refused. */
  doubt: KeyDetail
  /** The record is written: kept, to run again, or forgotten. */
  completed: KeyDetail
  failed: KeyDetail
  released: KeyDetail
  /** Another has the key, or the record is gone; the result is dropped. */
  'lease-lost': KeyDetail
  /** A handler has run for `maxRunMs`; its lease is renewed no more. */
  'run-limit': KeyDetail
  /** The ending could not be written and is tried again; the client gets the true answer. */
  'completion-retried': KeyDetail & { readonly error: unknown }
  /** The ending could not be written until `maxRunMs` was over: the key's outcome is unknown to the store. */
  'completion-given-up': KeyDetail & { readonly error: unknown }
  /** A codec could not wrap the answer: the record knows only that it has happened. */
  'codec-failed': KeyDetail & { readonly error: unknown }
  /** An operator has decided over a key (`resolve()`). */
  resolved: KeyDetail
  /** The store failed or did not answer in time. */
  'store-down': KeyDetail & { readonly error: unknown }
  /** There was no room for a new key or a result. */
  'store-full': KeyDetail & { readonly error: unknown }
  /** A handler runs without protection, since the store is down and `onStoreDown` says so. */
  unprotected: KeyDetail & { readonly error: unknown }
  /** A completed record was given up to make room (`onStoreFull: 'evict-completed'`). */
  evicted: { readonly keyHash: string }
  /** The store warns of its set-up. */
  warning: { readonly message: string }
}

/** What an operator listens to. */
export interface Events {
  /** Calls the listener at each event of the name; answers the function that ends it. A listener that throws changes nothing. */
  on<Name extends keyof IdempotencyEvents>(
    name: Name,
    listener: (detail: IdempotencyEvents[Name]) => void,
  ): () => void
}

type Watch = NonNullable<IdempotencyStore['watch']>

export interface Emitter extends Events {
  /** The detail is made only when somebody listens. */
  emit<Name extends keyof IdempotencyEvents>(
    name: Name,
    detail: () => IdempotencyEvents[Name],
  ): void
  /** Passes on what the store tells, from the first listener on: a store tells what stands to whoever begins to watch. */
  forward(watch: Watch | undefined): void
  close(): void
}

export const createEmitter = (): Emitter => {
  const listeners = new Map<string, Set<(detail: never) => void>>()
  const endings = new Map<StoreNotice['kind'], () => void>()
  let watchStore: Watch | undefined

  const follow = (kind: StoreNotice['kind']): void => {
    if (watchStore === undefined || endings.has(kind)) return
    const end = watchStore((notice) => {
      if (notice.kind !== kind) return
      if (notice.kind === 'evicted') emitter.emit('evicted', () => ({ keyHash: notice.recordKey }))
      else emitter.emit('warning', () => ({ message: notice.message }))
    })
    endings.set(kind, end)
  }

  const emitter: Emitter = {
    on(name, listener) {
      const set = listeners.get(name) ?? new Set()
      listeners.set(name, set)
      set.add(listener)
      if (name === 'evicted' || name === 'warning') follow(name)
      return () => set.delete(listener)
    },
    emit(name, detail) {
      const set = listeners.get(name)
      if (set === undefined || set.size === 0) return
      const value = detail()
      for (const listener of set) {
        // An operator's mistake must not decide over a payment, nor end the process where the listener is asynchronous.
        try {
          const returned: unknown = listener(value as never)
          if (returned instanceof Promise) returned.catch(() => {})
        } catch {}
      }
    },
    forward(watch) {
      watchStore = watch
    },
    close() {
      for (const end of endings.values()) end()
      watchStore = undefined
      listeners.clear()
    },
  }
  return emitter
}
