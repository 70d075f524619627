import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { root } from '../setup/process.mjs'
import { published } from './published.js'

/** Kilobytes that core may weigh, compressed as it would be sent. Raised on purpose, never in passing. */
const budgetKb = 26

/** The file and all that it imports from its own package. */
const closure = (file: string, seen = new Set<string>()): Set<string> => {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const { fileName } of ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles)
    if (fileName.startsWith('.')) closure(join(dirname(file), fileName), seen)
  return seen
}

/** Without the comments and line breaks that a bundler drops; names stay as they are. */
const bare = (file: string) =>
  ts.transpileModule(readFileSync(file, 'utf8'), {
    compilerOptions: { removeComments: true, target: ts.ScriptTarget.ES2022 },
  }).outputText

test(`core weighs at most ${budgetKb} kB`, () => {
  published()
  const code = [...closure(join(root, 'packages/core/dist/index.js'))].map(bare).join('\n')
  expect(brotliCompressSync(code).byteLength / 1000).toBeLessThanOrEqual(budgetKb)
})
