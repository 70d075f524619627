import { acquiring } from './acquiring.js'
import { wholeMachine } from './agrees-with-model.js'
import { durations } from './durations.js'
import { ending } from './ending.js'
import { expiry } from './expiry.js'
import { fidelity } from './fidelity.js'
import type { StoreGuarantee } from './harness.js'
import { housekeeping } from './housekeeping.js'
import { lateWriters } from './late-writers.js'
import { lostAnswers } from './lost-answers.js'
import { manyCallers } from './many-callers.js'
import { opaqueText } from './opaque-text.js'
import { progress } from './progress.js'
import { renewing } from './renewing.js'
import { takingOver } from './taking-over.js'

/** What every store guarantees. Conforming means all of them: nothing here can be switched off. */
export const storeGuarantees: readonly StoreGuarantee[] = [
  ...acquiring,
  ...takingOver,
  ...progress,
  ...renewing,
  ...ending,
  ...lostAnswers,
  ...lateWriters,
  ...expiry,
  ...durations,
  ...fidelity,
  ...opaqueText,
  ...manyCallers,
  ...housekeeping,
  ...wholeMachine,
]
