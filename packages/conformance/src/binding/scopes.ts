import assert from 'node:assert/strict'
import { hasRun, isFirst, isProblem, isReplay } from './expecting.js'
import type { BindingGuarantee, SuiteRequest } from './harness.js'
import { openShop } from './shop.js'

const tenantOf = (request: SuiteRequest): string => request.header('x-tenant') ?? ''
const as = (tenant: string) => ({ key: 'a', headers: { 'x-tenant': tenant } })

/** Whose a key is. */
export const scopes: readonly BindingGuarantee[] = [
  {
    name: 'the same key of another scope is another request',
    points: ['7', '19'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { scope: tenantOf } })
      const first = await shop.send(as('tenant-1'))
      isFirst(await shop.send(as('tenant-2')))
      isReplay(await shop.send(as('tenant-1')), first)
      assert.deepEqual(
        shop.runs.map(({ scope }) => scope),
        ['tenant-1', 'tenant-2'],
      )
    },
  },
  {
    name: 'a scope that answers nothing, no text, or throws is refused, and the store is not asked',
    points: ['7'],
    check: async (harness) => {
      const answers: readonly (() => unknown)[] = [
        () => '',
        () => undefined,
        () => 7,
        () => {
          throw new Error('no session')
        },
        async () => {
          throw new Error('no session')
        },
      ]
      for (const scope of answers) {
        const shop = await openShop(harness, { options: { scope: scope as () => string } })
        isProblem(await shop.send({ key: 'a' }), 500, 'scope-missing')
        hasRun(shop, 0)
        assert.equal(shop.store.calls('acquire'), 0)
      }
    },
  },
  {
    name: 'leaving the scope out is an error at construction that says why it matters',
    points: ['7', '45'],
    check: async (harness) => {
      await assert.rejects(
        openShop(harness, { layers: ({ store }) => [{ store } as never] }),
        ({ message }: Error) =>
          ['"scope"', "'global'", 'undefined', 'another', 'https://'].every((part) =>
            message.includes(part),
          ),
      )
    },
  },
  {
    name: 'a function that answers "global" is not the space that all callers share',
    points: ['7'],
    check: async (harness) => {
      const shared = await openShop(harness)
      const own = await openShop(harness, {
        options: { scope: () => 'global' },
        store: shared.store,
      })
      isFirst(await shared.send({ key: 'a' }))
      isFirst(await own.send({ key: 'a' }))
    },
  },
  {
    name: 'the scope may be found out later, and is asked only where there is a key',
    points: ['7'],
    check: async (harness) => {
      let asked = 0
      const shop = await openShop(harness, {
        options: {
          scope: async (request) => {
            asked++
            await new Promise(setImmediate)
            return tenantOf(request)
          },
        },
      })
      isFirst(await shop.send({ headers: { 'x-tenant': 'tenant-1' } }))
      assert.equal(asked, 0)
      const first = await shop.send(as('tenant-1'))
      isReplay(await shop.send(as('tenant-1')), first)
      isFirst(await shop.send(as('tenant-2')))
      assert.equal(asked, 3)
    },
  },
]
