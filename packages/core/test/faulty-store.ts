import { memoryStore } from '../../memory/src/index.js'
import { StoreError } from '../src/errors.js'
import type { IdempotencyStore } from '../src/store.js'

type Verb = 'acquire' | 'renew' | 'complete' | 'fail' | 'release' | 'read'

/** What becomes of one call; `forward` makes it. */
export type Fault = (forward: () => Promise<unknown>) => Promise<unknown>

/** A store that does what it should, but for the calls that a test has planned otherwise. */
export interface FaultyStore extends IdempotencyStore {
  /** The verbs called so far, in order. */
  readonly calls: Verb[]
  /** The tokens they came with, in the same order. */
  readonly tokens: string[]
  /** The next calls of the verb meet these faults, one each. */
  next(verb: Verb, ...faults: Fault[]): void
  /** Every call of the verb meets the fault, until there is none. */
  always(verb: Verb, fault: Fault | undefined): void
}

export const rejects: Fault = async () => {
  throw new Error('connection refused')
}
export const hangs: Fault = () => new Promise(() => {})
export const full: Fault = async () => {
  throw new StoreError('store-full', 'no room')
}
/** The call has its effect, and nobody is told. */
export const answerLost: Fault = async (forward) => {
  await forward()
  throw new Error('connection reset')
}
export const answerHangs: Fault = async (forward) => {
  await forward()
  return new Promise(() => {})
}
export const answers =
  (answer: unknown): Fault =>
  async () =>
    answer
export const passes: Fault = (forward) => forward()

/** A call that arrives, or is answered, when the test says so. */
export const gate = (): { readonly call: Fault; readonly answer: Fault; open(): void } => {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return {
    call: async (forward) => {
      await opened
      return forward()
    },
    answer: async (forward) => {
      const answer = await forward()
      await opened
      return answer
    },
    open: () => open(),
  }
}

export const faultyStore = (inner: IdempotencyStore = memoryStore()): FaultyStore => {
  const calls: Verb[] = []
  const tokens: string[] = []
  const planned = new Map<Verb, Fault[]>()
  const standing = new Map<Verb, Fault>()

  const met = <Answer>(
    verb: Verb,
    token: string,
    forward: () => Promise<Answer>,
  ): Promise<Answer> => {
    calls.push(verb)
    tokens.push(token)
    const fault = planned.get(verb)?.shift() ?? standing.get(verb) ?? passes
    return fault(forward) as Promise<Answer>
  }

  return {
    calls,
    tokens,
    next: (verb, ...faults) => planned.set(verb, [...(planned.get(verb) ?? []), ...faults]),
    always: (verb, fault) => {
      if (fault === undefined) standing.delete(verb)
      else standing.set(verb, fault)
    },
    acquire: (claim) => met('acquire', claim.token, () => inner.acquire(claim)),
    renew: (lease, terms) => met('renew', lease.token, () => inner.renew(lease, terms)),
    complete: (lease, terms) => met('complete', lease.token, () => inner.complete(lease, terms)),
    fail: (lease, terms) => met('fail', lease.token, () => inner.fail(lease, terms)),
    release: (lease) => met('release', lease.token, () => inner.release(lease)),
    read: (recordKey) => met('read', '', () => inner.read(recordKey)),
    purgeExpired: (limit) => inner.purgeExpired(limit),
    close: () => inner.close(),
  }
}
