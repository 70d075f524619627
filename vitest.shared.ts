import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const packages = new URL('./packages/', import.meta.url)
const source = (path: string) => fileURLToPath(new URL(path, packages))

/** Tests import their siblings' sources, so that a test run needs no build. */
const alias = [
  // As .ci/sqlite-driver.mjs, which is too late here: Vite has turned the name into a file by then.
  ...(Number.parseInt(process.versions.node, 10) < 22
    ? [{ find: /^better-sqlite3$/, replacement: 'better-sqlite3-12' }]
    : []),
  { find: /^@retrysafe\/core\/(node|fetch)$/, replacement: source('core/src/$1/index.ts') },
  ...readdirSync(packages).map((name) => ({
    find: new RegExp(`^@retrysafe/${name}$`),
    replacement: source(`${name}/src/index.ts`),
  })),
]

// Node 20 takes the driver that is compiled for it, every later one the driver that carries its binaries
// (docs/decisions/sqlite-driver.md). Workers and the processes that tests start inherit the choice.
const driver = new URL('./.ci/sqlite-driver.mjs', import.meta.url).href
const nodeOptions = process.env.NODE_OPTIONS ?? ''
if (!nodeOptions.includes(driver))
  process.env.NODE_OPTIONS = `${nodeOptions} --import=${driver}`.trim()

export const project = (name: string) =>
  defineConfig({
    resolve: { alias },
    test: { name, include: ['test/**/*.test.ts'], pool: 'forks', testTimeout: 20_000 },
  })
