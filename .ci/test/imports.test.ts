import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const packages = fileURLToPath(new URL('../../packages', import.meta.url))

/**
 * The rooms of core, lowest layer first. A file imports from lower layers or its own; a new file gets a place
 * here. Cycles within a layer are found by the linter (noImportCycles).
 */
const layers = [
  ['errors', 'response', 'request', 'deadline', 'process-wide', 'body-so-far', 'answer'],
  [
    'record',
    'idempotency-key',
    'canonical-form',
    'canonical-json',
    'content-coding',
    'decoded-content',
    'excluded-members',
    'multipart',
    'problem',
    'request-coding',
  ],
  [
    'store',
    'events',
    'drain',
    'body-forms',
    'fingerprint',
    'fingerprint-settings',
    'record-key',
    'response-policy',
    'transaction',
    'codec',
    'compressed',
    'encrypted',
    'changes',
    'notices',
    'purging',
    'waiting',
  ],
  [
    'kept-record',
    'execution',
    'fingerprint-option',
    'option-rule',
    'options',
    'settings',
    'decision',
    'reply',
    'heartbeat',
  ],
  ['outcome', 'renewing', 'holding', 'claiming', 'resolving', 'http-execution', 'mount'],
  ['idempotency', 'operations', 'request-key', 'request-fingerprint', 'http-idempotency', 'run'],
  ['node/*', 'fetch/*'],
  ['index'],
]

/** Which of our own packages each may import; none points at another store or binding. */
const mayImport = (name: string) => (name === 'core' ? [] : ['core'])

const sources = (name: string) =>
  readdirSync(join(packages, name, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => path.split(sep).join('/').slice(0, -'.ts'.length))

const textOf = (name: string, file: string) =>
  readFileSync(join(packages, name, 'src', `${file}.ts`), 'utf8')

const importsOf = (name: string, file: string) =>
  ts.preProcessFile(textOf(name, file)).importedFiles.map(({ fileName }) => fileName)

const layerOf = (file: string) =>
  layers.findIndex((rooms) =>
    rooms.some(
      (room) => room === file || (room.endsWith('/*') && file.startsWith(room.slice(0, -1))),
    ),
  )

describe('Imports point inward', () => {
  const inCore = sources('core').sort()

  test('every file of core has a layer', () => {
    expect(inCore.filter((file) => layerOf(file) < 0)).toEqual([])
  })

  test('a file of core imports from lower layers or its own', () => {
    const upward = inCore.flatMap((file) =>
      importsOf('core', file)
        .filter((path) => path.startsWith('.'))
        .map((path) => posix.join(posix.dirname(file), path).replace(/\.js$/, ''))
        .filter((target) => layerOf(target) > layerOf(file))
        .map((target) => `${file} (${layerOf(file)}) imports ${target} (${layerOf(target)})`),
    )
    expect(upward).toEqual([])
  })

  test('only one file of core acquires', () => {
    const callers = inCore.filter((file) => /\bstore\.acquire\(/.test(textOf('core', file)))
    expect(callers).toEqual(['claiming'])
  })

  // The lab is private, and stands outside: it holds every store against the model.
  test.each(readdirSync(packages).filter((name) => name !== 'fault-lab'))(
    '%s imports none of ours but core',
    (name) => {
      const allowed = mayImport(name).map((other) => `@retrysafe/${other}`)
      const outward = sources(name).flatMap((file) =>
        importsOf(name, file)
          .filter((path) => path.startsWith('@retrysafe/'))
          .filter((path) => !allowed.includes(path.split('/').slice(0, 2).join('/')))
          .map((path) => `${name}/${file} imports ${path}`),
      )
      expect(outward).toEqual([])
    },
  )
})
