import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { carriesDriver } from '../setup/driver.mjs'
import { pnpmDirectory } from '../setup/from-npm.mjs'
import { node, quietly, run } from '../setup/process.mjs'
import { manifestOf, published, specifiersOf } from './published.js'

const packages = published()
const specifiers = packages.flatMap(({ manifest }) => specifiersOf(manifest))

// Peers and types in the versions that the workspace has, so that a new release elsewhere breaks nothing here.
const pinned = (directory: string, ...names: string[]) =>
  names.map((name) => `${name}@${manifestOf(directory).devDependencies[name]}`)
const companions = [
  ...pinned('.', 'typescript', 'vitest', '@types/node'),
  ...pinned('packages/express', 'express', '@types/express'),
  ...pinned('packages/koa', 'koa', '@types/koa'),
  ...pinned('packages/hono', 'hono'),
  ...pinned('packages/redis', 'ioredis'),
  ...pinned('packages/postgres', 'pg', '@types/pg'),
  ...pinned('packages/sqlite', '@types/better-sqlite3'),
  ...(carriesDriver ? pinned('packages/sqlite', 'better-sqlite3') : ['better-sqlite3@12.11.1']),
]

const consumer = mkdtempSync(join(tmpdir(), 'retrysafe-packed-'))
// Without the tests' own choice of a driver, which the consumer does not have.
const inConsumer = { cwd: consumer, capture: true, env: { NODE_OPTIONS: '' } }
const file = (name: string, text: string) => {
  writeFileSync(join(consumer, name), text)
  return join(consumer, name)
}

beforeAll(async () => {
  const filters = packages.map(({ manifest }) => `--filter=${manifest.name}`)
  const pack = ['-r', ...filters, 'pack', '--pack-destination', consumer]
  await quietly('pnpm pack', run('pnpm', pack, { path: [await pnpmDirectory()], capture: true }))
  const tarballs = readdirSync(consumer).map((name) => `./${name}`)
  file('package.json', '{ "private": true }')
  // No scripts: importing a package must not need its driver compiled, and a compiler would be minutes of waiting.
  const install = ['install', `--prefix=${consumer}`, '--ignore-scripts', '--no-audit', '--no-fund']
  await quietly('npm install', run('npm', [...install, ...tarballs, ...companions], inConsumer))
}, 300_000)

afterAll(() => rmSync(consumer, { recursive: true, force: true }))

describe('The packages, packed and installed with npm', () => {
  const namesOf = (load: string) => `
    const names = {}
    for (const specifier of ${JSON.stringify(specifiers)})
      names[specifier] = Object.keys(${load}).filter((name) => !['default', '__esModule', 'module.exports'].includes(name)).sort()
    console.log(JSON.stringify(names))`
  const namesIn = async (program: string) =>
    JSON.parse(await quietly(program, node(program, [], inConsumer))) as Record<string, string[]>

  test('are imported from ESM and from CommonJS, with the same names', async () => {
    const fromEsm = await namesIn(file('esm.mjs', namesOf('await import(specifier)')))
    const fromCommonJs = await namesIn(file('commonjs.cjs', namesOf('require(specifier)')))
    expect(Object.keys(fromEsm)).toEqual(specifiers)
    for (const specifier of specifiers) expect(fromEsm[specifier], specifier).not.toEqual([])
    expect(fromCommonJs).toEqual(fromEsm)
  })

  test('are typed for TypeScript in ESM and in CommonJS, declarations checked too', async () => {
    const imports = (line: (name: string, specifier: string) => string) =>
      `${specifiers.map((specifier, index) => line(`_${index}`, specifier)).join('\n')}\nexport {}\n`
    file(
      'esm.mts',
      imports((name, specifier) => `import * as ${name} from '${specifier}'`),
    )
    file(
      'commonjs.cts',
      imports((name, specifier) => `import ${name} = require('${specifier}')`),
    )
    const flags =
      '--noEmit --strict --module nodenext --target es2022 --skipLibCheck false --types node'
    const args = [...flags.split(' '), 'esm.mts', 'commonjs.cts']
    const tsc = join(consumer, 'node_modules/typescript/bin/tsc')
    const { code, all } = await node(tsc, args, inConsumer)
    const errors = all.split('\n').filter((line: string) => line.includes('error TS'))
    expect(code === 0 || errors.length > 0, all).toBe(true)
    // What declarations of others get wrong among themselves is not ours to mend.
    const ours = errors.filter((line: string) => !line.startsWith('node_modules/@types/'))
    expect(ours).toEqual([])
  })
})
