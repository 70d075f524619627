import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      'packages/*',
      'examples/*',
      // What holds for the workspace as a whole. These see the packages as built, not their sources, and come
      // last: what they install and compile would take the processor from tests that count time.
      {
        test: {
          name: 'workspace',
          include: ['.ci/test/**/*.test.ts'],
          testTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
    // Left to itself, vitest spares a processor; much of what is tested here is waited for.
    maxWorkers: '100%',
    reporters: ['default', './.ci/count-reporter.ts'],
  },
})
