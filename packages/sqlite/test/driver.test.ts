import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { refuseUnfitDriver } from '../src/driver.js'
import { compiled } from './compiled.js'
import { temporaryFile } from './temporary-folder.js'

describe('a driver that would end the process', () => {
  it.each([
    ['13.2.0', '20.20.2'],
    ['13.0.0', '21.7.3'],
    ['14.0.0', '18.20.0'],
  ])('better-sqlite3 %s on Node %s is refused, with both versions and the cure', (driver, node) => {
    const refuse = () => refuseUnfitDriver(driver, node)
    expect(refuse).toThrow(expect.objectContaining({ code: 'option-invalid' }))
    expect(refuse).toThrow(`better-sqlite3 ${driver} on Node ${node}`)
    expect(refuse).toThrow('Install better-sqlite3@12, or run Node 22 or later')
  })

  it.each([
    ['12.11.1', '20.20.2'],
    ['12.11.1', '24.21.0'],
    ['13.2.0', '22.23.3'],
    ['13.2.0', '26.10.0'],
    [undefined, '20.20.2'],
  ])('better-sqlite3 %s on Node %s is let pass', (driver, node) => {
    expect(() => refuseUnfitDriver(driver, node)).not.toThrow()
  })

  const isBeforeNode22 = Number.parseInt(process.versions.node, 10) < 22

  // Without the hook of vitest.shared.ts the name is better-sqlite3 13 here: later Nodes run it, this one would crash.
  it.each(['esm', 'cjs'] as const)(
    'of any Node, in %s, is opened or refused, never a segmentation fault',
    async (format) => {
      const program = await compiled('open', format)
      const env = { ...process.env, NODE_OPTIONS: '' }
      const { status, stdout, stderr } = spawnSync(process.execPath, [program, temporaryFile()], {
        env,
      })
      if (isBeforeNode22) {
        expect(String(stderr)).toContain('better-sqlite3 13.2.0 on Node 20')
        expect(status).toBe(1)
      } else expect([status, String(stdout)]).toEqual([0, 'open\n'])
    },
  )

  it('that fits opens in a process of its own', async () => {
    const program = await compiled('open', 'esm')
    const { status, stdout } = spawnSync(process.execPath, [program, temporaryFile()])
    expect([status, String(stdout)]).toEqual([0, 'open\n'])
  })
})
