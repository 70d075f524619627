import { memoryStore } from '@retrysafe/memory'
import type Koa from 'koa'
import type { Middleware } from 'koa'
import { type Exchanged, serve } from '../../express/test/exchange.js'
import { idempotency, type KoaOptions } from '../src/index.js'
import type { KoaModule } from './versions.js'

export const layer = (options: Partial<KoaOptions> = {}) =>
  idempotency({ store: memoryStore(), scope: 'global', ...options })

/** Serves every request through these, in order. */
export const serveChain = (Application: KoaModule, ...chain: Middleware[]): Promise<number> =>
  serveApplication(Application, (app) => {
    for (const middleware of chain) app.use(middleware)
  })

/** Errors stay out of the output. */
export const serveApplication = (
  Application: KoaModule,
  build: (app: Koa) => void,
): Promise<number> => {
  const app = new Application()
  app.silent = true
  build(app)
  return serve(app.callback())
}

export const isReplay = ({ head }: Exchanged): boolean => head.includes('Idempotent-Replayed: true')

/** A promise, and what keeps it. */
export const gate = () => {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}
