import { describe, expect, it } from 'vitest'
import { answer } from '../../src/answer.js'
import { transactionSide } from '../../src/transaction.js'
import { gate } from '../faulty-store.js'
import { expectNoUnhandledRejections } from '../unhandled-rejections.js'
import { bareHandler, turns } from './bare-handler.js'

expectNoUnhandledRejections()

describe('the answer of a transaction', () => {
  /** As a store does it, with the calls of its side in order. */
  const transaction = async (
    execution: object,
    work: () => unknown,
    store?: () => Promise<unknown>,
  ) => {
    const side = transactionSide(execution)
    try {
      side.begin()
      const returned = work()
      if (side.lease) side.ending(returned)
      await store?.()
      side.committed(returned)
      return returned
    } catch (error) {
      side.rolledBack('failed')
      throw error
    }
  }

  it('is what was committed, whatever the handler returns', async () => {
    const { send, store } = bareHandler(
      async (_request, execution) => {
        await transaction(execution, () => answer(201, { id: 1 }, { Location: '/orders/1' }))
        return new Response('something else', { status: 500 })
      },
      {},
      { outerHeaders: [['X-Outer', '1']] },
    )
    const response = await send('k')
    expect([response.status, await response.text()]).toEqual([201, '{"id":1}'])
    expect(response.headers.get('Location')).toBe('/orders/1')
    expect(response.headers.get('X-Outer')).toBe('1')
    expect(store.calls).toEqual(['acquire'])
  })

  it('is what was committed, also where the handler throws afterwards', async () => {
    const { send } = bareHandler(async (_request, execution) => {
      await transaction(execution, () => answer(201, 'done'))
      throw new Error('too late')
    })
    expect(await (await send('k')).text()).toBe('done')
  })

  it('decides also where the handler has not waited for it', async () => {
    const commit = gate()
    const { send } = bareHandler((_request, execution) => {
      void transaction(
        execution,
        () => answer(201, 'committed'),
        () => commit.call(async () => {}),
      )
      return new Response('early')
    })
    const answered = send('k')
    await turns()
    commit.open()
    expect(await (await answered).text()).toBe('committed')
  })

  it('is missing where the work returns another', async () => {
    const { send, heard } = bareHandler(async (_request, execution) => {
      await transaction(execution, () => new Response('not known at once'))
      return new Response('never')
    })
    await expect(send('k')).rejects.toMatchObject({ code: 'answer-missing' })
    expect(heard.names).toEqual(['acquired', 'failed'])
  })

  it('cannot be given when the handler has answered', async () => {
    const late = gate()
    let refused: unknown
    const { send } = bareHandler((_request, execution) => {
      refused = late.call(async () => {}).then(() => transaction(execution, () => answer(201)))
      ;(refused as Promise<unknown>).catch(() => {})
      return new Response('early')
    })
    await send('k')
    late.open()
    await expect(refused).rejects.toMatchObject({ code: 'answer-missing' })
  })

  it('is rolled back with what the framework was told meanwhile', async () => {
    const told: string[] = []
    for (const key of ['k', undefined]) {
      const { send } = bareHandler(
        async (_request, execution) => {
          await transaction(execution, () => {
            throw new Error('no more')
          }).catch(() => {})
          return new Response('x')
        },
        {},
        {
          saveHead: () => {
            told.push('saved')
            return () => told.push('brought back')
          },
        },
      )
      await send(key)
      expect(told.splice(0)).toEqual(['saved', 'brought back'])
    }
  })

  it('without a key is a plain one, and the handler returns what it likes', async () => {
    const { send } = bareHandler(async (_request, execution) => {
      await transaction(execution, () => 'no answer')
      return new Response('mine')
    })
    expect(await (await send(undefined)).text()).toBe('mine')
  })
})
