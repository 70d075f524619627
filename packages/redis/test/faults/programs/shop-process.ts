import { type RedisStoreOptions, redisStore } from '../../../src/index.js'
import { type ShopOptions, startShop } from '../shop.js'

/** What a shop in a process of its own is started with. */
export interface ShopProcessTerms {
  readonly redis: RedisStoreOptions
  readonly effects: string
  /** At a path that begins with `/held`, handlers wait until they are told to go on. */
  readonly routes: Readonly<Record<string, ShopOptions>>
}

/** What it says. */
export type Said =
  | { readonly listening: number; readonly now: number }
  | { readonly holding: string | undefined }

const terms = JSON.parse(String(process.argv[2])) as ShopProcessTerms
const say = (said: Said) => process.send?.(said)

const shop = await startShop({
  ...terms,
  store: redisStore(terms.redis),
  during: async ({ key }, path) => {
    if (!path.startsWith('/held')) return
    const told = new Promise((resolve) => process.once('message', resolve))
    say({ holding: key })
    await told
  },
})
say({ listening: shop.port, now: Date.now() })
