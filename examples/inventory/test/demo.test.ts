import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { hasRedisServer } from '../../../packages/redis/test/servers/redis-server.js'
import { createReport } from '../demo/report.mjs'
import { choose } from '../demo/targets.mjs'
import { expectNoRedis, startDemo } from './suites/demo.js'
import { describeDemo } from './suites/index.js'

describeDemo({ target: 'express', store: 'sqlite' })
describeDemo({ target: 'express', store: 'redis' })

describe('The demo that is interrupted', { concurrent: true }, () => {
  test('leaves nothing behind', { timeout: 60_000 }, async ({ onTestFinished }) => {
    const { demo, ended } = startDemo([], hasRedisServer ? 'redis' : 'sqlite', onTestFinished)
    while (!String((await once(demo.stdout, 'data'))[0]).includes('A-100 on hand'));
    demo.kill('SIGINT')
    const { code, output, left } = await ended
    expect({ code, left }).toEqual({ code: 130, left: [] })
    if (hasRedisServer) await expectNoRedis(output)
  })
})

describe('The demo', () => {
  test('is played on Express and SQLite unless told otherwise', () => {
    expect(choose([])).toEqual({ target: 'express', store: 'sqlite' })
    expect(choose(['--target', 'hono'])).toEqual({ target: 'hono', store: 'sqlite' })
    expect(choose(['--target=koa'], 'memory')).toEqual({ target: 'koa', store: 'memory' })
    expect(choose(['--store', 'redis'])).toEqual({ target: 'express', store: 'redis' })
    expect(choose(['--target', 'koa', '--store', 'postgres'])).toEqual({
      target: 'koa',
      store: 'postgres',
    })
    expect(choose(['--target', 'hono', '--store', 'sqlite'], 'memory')).toEqual({
      target: 'hono',
      store: 'sqlite',
    })
  })

  test('refuses in one line, and before anything is set up, what it cannot be played on', async () => {
    const start = fileURLToPath(new URL('../../../.ci/start.mjs', import.meta.url))
    const refused = spawn(process.execPath, [start, 'demo', '--target', 'nest'])
    const [[code], output, errors] = await Promise.all([
      once(refused, 'close'),
      text(refused.stdout),
      text(refused.stderr),
    ])
    expect({ code, output, errors }).toEqual({
      code: 2,
      output: '',
      errors: '--target is express|hono|koa, not nest.\n',
    })
    expect(await startDemo(['--target', 'nest']).ended).toEqual({
      code: 2,
      output: errors,
      left: [],
    })
    expect(choose(['--all'])).toEqual({
      refusal: 'The demo takes --target express|hono|koa and --store, not --all.',
    })
    expect(choose(['--target', 'express'], 'mysql')).toEqual({
      refusal: 'STORE is sqlite|postgres|redis|memory, not mysql.',
    })
    expect(choose(['--target', 'koa', '--store', 'mongo'], 'memory')).toEqual({
      refusal: '--store is sqlite|postgres|redis|memory, not mongo.',
    })
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
