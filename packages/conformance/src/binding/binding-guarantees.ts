import { applying } from './applying.js'
import { requestBodies } from './bodies.js'
import { doubt } from './doubt.js'
import { duplicates } from './duplicates.js'
import { durability } from './durability.js'
import { executions } from './executions.js'
import { fingerprintSettings } from './fingerprint-settings.js'
import { fingerprints } from './fingerprints.js'
import { firstRuns } from './first-runs.js'
import { hangUps } from './hang-ups.js'
import type { BindingGuarantee } from './harness.js'
import { headerFields } from './header-fields.js'
import { keeping } from './keeping.js'
import { keys } from './keys.js'
import { lateEndings } from './late-endings.js'
import { lostLeases } from './lost-leases.js'
import { mounting } from './mounting.js'
import { nested } from './nested.js'
import { notStored } from './not-stored.js'
import { operating } from './operating.js'
import { problems } from './problems.js'
import { replays } from './replays.js'
import { requestCodings } from './request-codings.js'
import { scopes } from './scopes.js'
import { settling } from './settling.js'
import { storeFaults } from './store-faults.js'
import { storedForms } from './stored-forms.js'
import { streams } from './streams.js'
import { thrown } from './thrown.js'
import { timeOuts } from './time-outs.js'
import { transactions } from './transactions.js'

/** What every binding guarantees. Conforming means all of them: nothing here can be switched off. */
export const bindingGuarantees: readonly BindingGuarantee[] = [
  ...keys,
  ...applying,
  ...scopes,
  ...mounting,
  ...firstRuns,
  ...lostLeases,
  ...doubt,
  ...settling,
  ...executions,
  ...duplicates,
  ...replays,
  ...storedForms,
  ...headerFields,
  ...fingerprints,
  ...fingerprintSettings,
  ...requestCodings,
  ...requestBodies,
  ...keeping,
  ...thrown,
  ...durability,
  ...transactions,
  ...streams,
  ...notStored,
  ...hangUps,
  ...timeOuts,
  ...storeFaults,
  ...lateEndings,
  ...operating,
  ...problems,
  ...nested,
]
