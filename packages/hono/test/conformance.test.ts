import { describeBinding } from '@retrysafe/conformance'
import { realStores } from '../../express/test/real-stores.js'
import { honoHarness } from './hono-harness.js'

for (const [store, options] of realStores)
  describeBinding(`Hono on Node and ${store}`, honoHarness, options)
