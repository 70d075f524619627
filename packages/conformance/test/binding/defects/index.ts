import type { Defect } from '../reference-harness.js'
import { answers } from './answers.js'
import { applying } from './applying.js'
import { duplicates, headerFields, problems } from './duplicates.js'
import { fingerprintSettings } from './fingerprint-settings.js'
import { keys } from './keys.js'
import { requests } from './requests.js'
import { runs } from './runs.js'
import { settling } from './settling.js'
import { stores } from './stores.js'

/** For each guarantee a binding that keeps all but that one, and next to nothing else. */
export const defects: { readonly [guarantee: string]: Defect } = {
  ...keys,
  ...applying,
  ...runs,
  ...duplicates,
  ...headerFields,
  ...problems,
  ...requests,
  ...fingerprintSettings,
  ...answers,
  ...settling,
  ...stores,
}
