import { describeBinding } from '@retrysafe/conformance'
import { realStores } from '../../express/test/real-stores.js'
import { koaHarness } from './koa-harness.js'
import { versions } from './versions.js'

for (const [name, Koa] of versions)
  for (const [store, options] of realStores)
    describeBinding(`${name} on ${store}`, () => koaHarness(Koa), options)
