import { mergeConfig } from 'vitest/config'
import { project } from '../../vitest.shared.js'

// Processes are started by the dozen, and leases are waited for.
export default mergeConfig(project('fault-lab'), {
  test: { testTimeout: 60_000, hookTimeout: 60_000 },
})
