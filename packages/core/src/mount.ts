import type { HttpExecution } from './http-execution.js'
import { processWide } from './process-wide.js'

/** The claim of a request, for a second mount on its way to find. */
export interface Mount {
  readonly settings: object
  readonly http: HttpExecution
}

const mounts = processWide('mounts', () => new WeakMap<object, Mount>())

export const mountOf = (carrier: object): Mount | undefined => mounts.get(carrier)

export const rememberMount = (carrier: object, mount: Mount): void => {
  mounts.set(carrier, mount)
}
