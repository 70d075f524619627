import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Choice } from '../../demo/targets.mjs'
import { titleOf } from '../inventory.js'

/** Starts the demo with a folder of its own for what it leaves behind. */
export const startDemo = (args: readonly string[], store: string) => {
  const folder = mkdtempSync(join(tmpdir(), 'inventory-demo-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  const program = fileURLToPath(new URL('../../demo/main.mjs', import.meta.url))
  const demo = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, STORE: store, TMPDIR: folder, TEMP: folder, TMP: folder },
  })
  let output = ''
  for (const stream of [demo.stdout, demo.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  const ended = once(demo, 'close').then(([code]) => ({ code, output, left: readdirSync(folder) }))
  return { demo, ended }
}

/** The case, with every figure of it checked. */
export const describeDemo = ({ target, store }: Choice): void => {
  describe(`The demo ${titleOf({ target, store })}`, () => {
    test('shows the right figures and leaves nothing behind', { timeout: 120_000 }, async () => {
      const { code, output, left } = await startDemo(['--target', target], store).ended
      expect({ code, left }, output).toEqual({ code: 0, left: [] })
      expect(output).toContain('Every figure is as expected.')
    })
  })
}
