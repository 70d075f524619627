import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

it('shows the code that is run here', () => {
  const text = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
  expect(text('../../README.md')).toContain(`\`\`\`ts\n${text('./my-store.test.ts')}\`\`\``)
})
