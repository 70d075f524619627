import { describeStore } from '@retrysafe/conformance'
import { myStore } from './my-store.js'

describeStore('myStore', async () => {
  let now = 0
  const store = myStore({ now: () => now })
  return {
    open: async () => store,
    advance: async (ms) => {
      now += ms
    },
    close: () => store.close(),
  }
})
