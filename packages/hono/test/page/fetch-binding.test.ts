import { readFileSync } from 'node:fs'
import { describeBinding } from '@retrysafe/conformance'
import { expect, it } from 'vitest'
import { fetchHarness } from './fetch-harness.js'

describeBinding('the page’s binding for a fetch handler', fetchHarness)

it('is the one that the page prints', () => {
  const text = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
  expect(text('../../../../docs/writing-a-binding.md')).toContain(
    `\`\`\`ts\n${text('./fetch-binding.ts')}\`\`\``,
  )
})
