import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from '../setup/process.mjs'
import { published } from './published.js'

// The tool itself looks at a changeset only when a version is made, which is too late to learn of a wrong name.
const folder = join(root, '.changeset')
const changesets = readdirSync(folder).filter(
  (name) => name.endsWith('.md') && name !== 'README.md',
)

describe('Changesets', () => {
  const names = published().map(({ manifest }) => manifest.name)

  test.each(changesets)('%s names published packages, and says what users get', (name) => {
    const text = readFileSync(join(folder, name), 'utf8')
    const [, releases = '', summary = ''] = /^---\n(.*?)\n---\n(.*)$/s.exec(text) ?? []
    const lines = releases
      .split('\n')
      .map((line) => /^'(.+)': (?:major|minor|patch)$/.exec(line)?.[1])
    expect(lines.filter((line) => line === undefined || !names.includes(line))).toEqual([])
    expect(summary.trim()).not.toBe('')
  })

  test('follow one version for all packages', () => {
    const { fixed } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))
    expect(fixed).toEqual([['@retrysafe/*']])
  })
})
