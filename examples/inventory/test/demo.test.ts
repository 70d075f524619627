import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createReport } from '../demo/report.mjs'

/** Starts the demo with a folder of its own for what it leaves behind. */
const startDemo = () => {
  const folder = mkdtempSync(join(tmpdir(), 'inventory-demo-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  const program = fileURLToPath(new URL('../demo/main.mjs', import.meta.url))
  const demo = spawn(process.execPath, [program], {
    env: { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder },
  })
  let output = ''
  for (const stream of [demo.stdout, demo.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  const ended = once(demo, 'close').then(([code]) => ({ code, output, left: readdirSync(folder) }))
  return { demo, ended }
}

describe('The demo', () => {
  test('shows the right figures and leaves nothing behind', { timeout: 120_000 }, async () => {
    const { code, output, left } = await startDemo().ended
    expect({ code, left }, output).toEqual({ code: 0, left: [] })
    expect(output).toContain('Every figure is as expected.')
  })

  test('leaves nothing behind when it is interrupted', { timeout: 60_000 }, async () => {
    const { demo, ended } = startDemo()
    while (!String((await once(demo.stdout, 'data'))[0]).includes('A-100 on hand'));
    demo.kill('SIGINT')
    const { code, left } = await ended
    expect({ code, left }).toEqual({ code: 130, left: [] })
  })

  test('tells every figure that is not the expected one', () => {
    const lines: string[] = []
    const report = createReport((line) => lines.push(line), false)
    const scene = {
      title: 'A scene',
      rows: [
        { label: 'on hand', expected: ['95', '90'] as const, right: '95' },
        { label: 'heard', expected: ['201', '201'] as const },
      ],
      play: async () => [],
    }
    report.scene(scene, [
      ['95', '201'],
      ['90', '201'],
    ])
    expect(report.wrong).toEqual([])
    report.scene(scene, [['90', '201'], ['90']])
    expect(report.wrong).toEqual([
      'A scene: on hand, with the layer: 90 instead of 95',
      'A scene: heard, without the layer: nothing instead of 201',
    ])
    expect(lines.at(-2)).toMatch(/on hand +90 +90$/)
  })
})
