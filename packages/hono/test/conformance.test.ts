import { describeBinding } from '@retrysafe/conformance'
import { honoHarness } from './hono-harness.js'

describeBinding('Hono on Node', honoHarness)
