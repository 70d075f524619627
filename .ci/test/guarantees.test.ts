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

test('every line of the page of guarantees names its test, but what is said to promise nothing', () => {
  const lines = page.split('\n').filter((line) => /^\|(?! (fault|---)|---)/.test(line))
  const bare = lines.filter((line) => !/\]\(\.\.\//.test(line))
  expect(bare).toEqual([expect.stringContaining('nothing: its records are gone')])
})

test.each(tests)('$file has "$name"', ({ name, file }) => {
  expect(readFileSync(join(root, file), 'utf8')).toContain(name)
})
