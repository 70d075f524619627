import { describeBinding } from '@retrysafe/conformance'
import { expressHarness } from './express-harness.js'
import { versions } from './versions.js'

for (const [name, express] of versions) describeBinding(name, () => expressHarness(express))
