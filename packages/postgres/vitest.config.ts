import { mergeConfig } from 'vitest/config'
import { project } from '../../vitest.shared.js'

// What waits for the server's clock waits together.
export default mergeConfig(project('postgres'), {
  test: { testTimeout: 30_000, hookTimeout: 30_000, maxConcurrency: 8 },
})
