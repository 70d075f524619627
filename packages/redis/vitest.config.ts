import { mergeConfig } from 'vitest/config'
import { project } from '../../vitest.shared.js'

// A cluster needs seconds to come up, and seconds more to fail over. What waits for the server's clock waits together.
export default mergeConfig(project('redis'), {
  test: { testTimeout: 30_000, hookTimeout: 30_000, maxConcurrency: 20 },
})
