import { describeBinding } from '@retrysafe/conformance'
import { koaHarness } from './koa-harness.js'
import { versions } from './versions.js'

for (const [name, Koa] of versions) describeBinding(name, () => koaHarness(Koa))
