import { describeBinding } from '@retrysafe/conformance'
import { expressHarness } from './express-harness.js'
import { realStores } from './real-stores.js'
import { versions } from './versions.js'

for (const [name, express] of versions)
  for (const [store, options] of realStores)
    describeBinding(`${name} on ${store}`, () => expressHarness(express), options)
