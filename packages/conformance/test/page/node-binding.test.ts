import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { describeBinding } from '../../src/index.js'
import { executionOf, rememberExecution } from '../binding/reference-binding.js'
import { referenceHarness } from '../binding/reference-harness.js'
import { idempotency } from './node-binding.js'

describeBinding('the page’s binding for node:http', () =>
  referenceHarness(
    undefined,
    (options) => {
      const once = idempotency(options)
      return {
        operations: once,
        step: async (message, response) => {
          const execution = await once(message, response)
          if (execution === undefined) return 'answered'
          rememberExecution(message, execution)
          return 'on'
        },
      }
    },
    // As the page says: who knows that no route took the request says so.
    (message) => executionOf(message)?.release(),
  ),
)

it('is the one that the page prints', () => {
  const text = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
  expect(text('../../../../docs/writing-a-binding.md')).toContain(
    `\`\`\`ts\n${text('./node-binding.ts')}\`\`\``,
  )
})
