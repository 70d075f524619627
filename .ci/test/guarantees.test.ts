import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../setup/process.mjs'

const page = readFileSync(join(root, 'docs/guarantees.md'), 'utf8')
const tests = [...page.matchAll(/\[([^\]]+)\]\(\.\.\/([^)]+)\)/g)].map(
  ([, name = '', file = '']) => ({
    name,
    file,
  }),
)

test('the page of guarantees names a test in almost every line', () => {
  expect(tests.length).toBeGreaterThan(25)
})

test.each(tests)('$file has "$name"', ({ name, file }) => {
  expect(readFileSync(join(root, file), 'utf8')).toContain(name)
})
