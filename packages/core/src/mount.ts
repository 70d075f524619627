import type { HttpExecution } from './http-execution.js'

/** The claim of a request, for a second mount on its way to find. */
export interface Mount {
  readonly settings: object
  readonly http: HttpExecution
}

// One map however many copies of this module a process holds: an application may mix ESM and CommonJS.
const symbol = Symbol.for('retrysafe.mounts')
const registry = globalThis as { [symbol]?: WeakMap<object, Mount> }
const mounts = registry[symbol] ?? new WeakMap<object, Mount>()
registry[symbol] = mounts

export const mountOf = (carrier: object): Mount | undefined => mounts.get(carrier)

export const rememberMount = (carrier: object, mount: Mount): void => {
  mounts.set(carrier, mount)
}
