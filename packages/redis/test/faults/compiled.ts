import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'
import { afterAll } from 'vitest'

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// Inside the package's own node_modules, so that the driver's name resolves as it does for the sources.
const root = source('../../node_modules/.retrysafe-test/')

/** Compiles a program of `programs` with the sources as they are, and answers the file to run. */
export const compiled = async (program: 'shop-process' | 'closing'): Promise<string> => {
  mkdirSync(root, { recursive: true })
  const folder = mkdtempSync(join(root, 'run-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  await build({
    config: false,
    entry: [source(`./programs/${program}.ts`)],
    outDir: folder,
    format: 'esm',
    target: 'node20',
    silent: true,
    external: ['ioredis'],
    noExternal: [/^@retrysafe\//],
    outExtension: () => ({ js: '.mjs' }),
    esbuildOptions(options) {
      options.alias = {
        '@retrysafe/core/node': source('../../../core/src/node/index.ts'),
        '@retrysafe/core': source('../../../core/src/index.ts'),
      }
    },
  })
  return join(folder, `${program}.mjs`)
}
