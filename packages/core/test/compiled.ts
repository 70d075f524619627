import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'
import { afterAll } from 'vitest'

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Compiles a program of `test/programs` with the sources as they are, and answers the file to run. */
export const compiled = async (program: 'closing'): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'retrysafe-core-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  await build({
    config: false,
    entry: [source(`./programs/${program}.ts`)],
    outDir: folder,
    format: 'esm',
    target: 'node20',
    silent: true,
    noExternal: [/./],
    outExtension: () => ({ js: '.mjs' }),
    esbuildOptions(options) {
      options.alias = { '@retrysafe/core': source('../src/index.ts') }
    },
  })
  return join(folder, `${program}.mjs`)
}
