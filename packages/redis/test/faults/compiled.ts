import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'
import { afterAll, beforeAll } from 'vitest'

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// Inside the package's own node_modules, so that the driver's name resolves as it does for the sources.
const root = source('../../node_modules/.retrysafe-test/')

type Program = 'shop-process' | 'closing'

/** Compiles a program of `programs` with the sources as they are, for a suite. Answers the file to run. */
export const useProgram = (program: Program): (() => string) => {
  let folder: string
  beforeAll(async () => {
    mkdirSync(root, { recursive: true })
    folder = mkdtempSync(join(root, 'run-'))
    await compile(program, folder)
  })
  // Vitest never calls one that is registered inside another hook.
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return () => join(folder, `${program}.mjs`)
}

const compile = async (program: Program, folder: string): Promise<void> => {
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
}
