import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { sqliteStore } from '../src/index.js'
import { compiled } from './compiled.js'
import type { Order, Report } from './programs/contender.js'
import type { Point } from './programs/killed.js'
import { applicationDatabase, closing } from './scene.js'
import { temporaryFile } from './temporary-folder.js'

/** What the child says next; rejects when it has nothing more to say. */
const messageOf = async (child: ChildProcess): Promise<unknown> => {
  const heard = new AbortController()
  const { signal } = heard
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([message]) => message),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`The child has ended with ${code}`)
      }),
    ])
  } finally {
    heard.abort()
  }
}

describe('several processes on one file', () => {
  let program: string
  beforeAll(async () => {
    program = await compiled('contender')
  })

  const contenders = (count: number): Promise<ChildProcess[]> =>
    Promise.all(
      Array.from({ length: count }, async () => {
        const child = fork(program)
        onTestFinished(() => {
          child.kill('SIGKILL')
        })
        await messageOf(child)
        return child
      }),
    )

  /** Gives all the order at once, and waits for all. */
  const play = async (children: readonly ChildProcess[], order: Order): Promise<Report> => {
    const reports = await Promise.all(
      children.map(async (child) => {
        child.send(order)
        return (await messageOf(child)) as Report
      }),
    )
    return {
      won: reports.flatMap(({ won }) => won),
      errors: reports.flatMap(({ errors }) => errors),
    }
  }

  it('start at the same instant on a file that is not there yet', { timeout: 60_000 }, async () => {
    const children = await contenders(4)
    for (let round = 0; round < 10; round++) {
      const opened = await play(children, { order: 'open', file: temporaryFile() })
      const claimed = await play(children, { order: 'claim', keys: 1 })
      expect([...opened.errors, ...claimed.errors]).toEqual([])
      expect(claimed.won).toEqual(['key 0'])
    }
  })

  it('share out 200 keys: one winner each, and no error', { timeout: 60_000 }, async () => {
    const children = await contenders(4)
    await play(children, { order: 'open', file: temporaryFile() })
    const { won, errors } = await play(children, { order: 'claim', keys: 200 })
    expect(errors).toEqual([])
    expect(won).toHaveLength(200)
    expect(new Set(won).size).toBe(200)
  })
})

describe('a process that is killed in a transaction', () => {
  let program: string
  beforeAll(async () => {
    program = await compiled('killed')
  })

  const leftBy = async (point: Point) => {
    const file = temporaryFile()
    applicationDatabase(file).close()
    const { signal, stderr } = spawnSync(process.execPath, [program, file, point])
    expect([signal, String(stderr)]).toEqual(['SIGKILL', ''])
    const stock = applicationDatabase(file).prepare('SELECT sku, on_hand FROM stock').all()
    return { stock, record: await closing(sqliteStore(file)).read('key') }
  }

  it.each(['in the work', 'before COMMIT'] as const)(
    'leaves neither effect nor result: %s',
    async (point) => {
      const { stock, record } = await leftBy(point)
      expect(stock).toEqual([])
      expect(record).toMatchObject({ state: 'in_flight', attempt: 1 })
    },
  )

  it('leaves both: after COMMIT', async () => {
    const { stock, record } = await leftBy('after COMMIT')
    expect(stock).toEqual([{ sku: 'A-100', on_hand: 95 }])
    expect(record).toMatchObject({
      state: 'completed',
      result: new TextEncoder().encode('answer'),
    })
  })
})
