import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'
import { afterAll } from 'vitest'

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// Inside the package's own node_modules, so that the driver's name resolves as it does for the sources.
const root = source('../node_modules/.retrysafe-test/')

/** Compiles a program of `test/programs` with the sources as they are, and answers the file to run. */
export const compiled = async (
  program: 'open' | 'contender' | 'holder' | 'idle' | 'killed',
  format: 'esm' | 'cjs' = 'esm',
): Promise<string> => {
  mkdirSync(root, { recursive: true })
  const folder = mkdtempSync(join(root, 'run-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const extension = format === 'esm' ? '.mjs' : '.cjs'
  await build({
    config: false,
    entry: [source(`./programs/${program}.ts`)],
    outDir: folder,
    format,
    target: 'node20',
    shims: true,
    silent: true,
    external: ['better-sqlite3'],
    noExternal: [/^@retrysafe\//],
    outExtension: () => ({ js: extension }),
    esbuildOptions(options) {
      options.alias = { '@retrysafe/core': source('../../core/src/index.ts') }
    },
  })
  return join(folder, `${program}${extension}`)
}
