import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Choice } from '../../demo/targets.mjs'
import { isThere, titleOf } from '../inventory.js'

/** Starts the demo with a folder of its own for what it leaves behind. */
export const startDemo = (
  args: readonly string[],
  store = '',
  whenFinished: typeof onTestFinished = onTestFinished,
) => {
  const folder = mkdtempSync(join(tmpdir(), 'inventory-demo-'))
  whenFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  const program = fileURLToPath(new URL('../../demo/main.mjs', import.meta.url))
  const demo = spawn(process.execPath, [program, ...args], {
    env: {
      ...process.env,
      STORE: store,
      REDIS_URL: '',
      DATABASE_URL: '',
      TMPDIR: folder,
      TEMP: folder,
      TMP: folder,
    },
  })
  let output = ''
  for (const stream of [demo.stdout, demo.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  const ended = once(demo, 'close').then(([code]) => ({ code, output, left: readdirSync(folder) }))
  return { demo, ended }
}

/** That nobody listens any more where the demo says that it has started a Redis server. */
export const expectNoRedis = async (output: string) => {
  const [, port] = /redis:\/\/127\.0\.0\.1:(\d+)/.exec(output) ?? []
  expect(port, output).toBeDefined()
  await expect(once(connect(Number(port), '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED')
}

/** The case, with every figure of it checked. Much of it is waited for, so demos wait together. */
export const describeDemo = (choice: Choice): void => {
  const title = `The demo ${titleOf(choice)}`
  describe.skipIf(!isThere(choice.store))(title, { concurrent: true }, () => {
    test('shows the right figures and leaves nothing behind', { timeout: 120_000 }, async ({
      onTestFinished,
    }) => {
      const args = ['--target', choice.target, '--store', choice.store]
      const { code, output, left } = await startDemo(args, '', onTestFinished).ended
      expect({ code, left }, output).toEqual({ code: 0, left: [] })
      expect(output).toContain('Every figure is as expected.')
      if (choice.store === 'redis') await expectNoRedis(output)
    })
  })
}
