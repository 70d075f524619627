import type { Defect } from '../defect.js'
import { acquiring } from './acquiring.js'
import { callers } from './callers.js'
import { contents } from './contents.js'
import { expiry } from './expiry.js'
import { takingOver } from './taking-over.js'
import { writing } from './writing.js'

/** For each guarantee a store that keeps all but that one, and next to nothing else. */
export const defects: { readonly [guarantee: string]: Defect } = {
  ...acquiring,
  ...takingOver,
  ...writing,
  ...expiry,
  ...contents,
  ...callers,
}
