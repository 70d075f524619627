// @ts-check
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'tsup'

/** @param {string} path */
const source = (path) => fileURLToPath(new URL(path, import.meta.url))

// Inside the package's own node_modules, so that the driver's name resolves as it does for the sources.
const root = source('./node_modules/.retrysafe-test/')

// As .ci/sqlite-driver.mjs, whose hook would take part in every start of a process.
const driver =
  Number.parseInt(process.versions.node, 10) < 22 ? { 'better-sqlite3': 'better-sqlite3-12' } : {}

/** @typedef {{ readonly file: string, readonly from: string, readonly to: string }} SourceChange */

/**
 * Files that look for something beside them find it, though they are bundled elsewhere.
 *
 * @type {(changes: readonly SourceChange[]) => NonNullable<import('tsup').Options['esbuildPlugins']>[number]}
 */
const inPlace = (changes) => ({
  name: 'in-place',
  setup({ onLoad, onEnd }) {
    const missing = new Set(changes)
    onEnd(() => {
      if (missing.size > 0)
        throw new Error(
          `${[...missing].map(({ file }) => file).join(', ')}: there is nothing to change`,
        )
    })
    onLoad({ filter: /\.m?ts$|\.mjs$/ }, ({ path }) => {
      if (path.includes('node_modules')) return undefined
      const place = JSON.stringify(pathToFileURL(path).href)
      let contents = readFileSync(path, 'utf8').replaceAll(/\bimport\.meta\.url\b/g, place)
      for (const change of changes) {
        if (path !== source(`../${change.file}`)) continue
        const parts = contents.split(change.from)
        // Once and no more: else another bug is planted than the one that is meant.
        if (parts.length !== 2) continue
        missing.delete(change)
        contents = parts.join(change.to)
      }
      return { loader: path.endsWith('ts') ? 'ts' : 'js', contents }
    })
  },
})

/**
 * Compiles programs with the sources as they are, each into one file with all that it needs: they are started by the
 * hundred. Answers their folder, and what removes it.
 *
 * @param {readonly string[]} programs
 * @param {readonly SourceChange[]} changes To the sources, for bugs that are planted.
 */
export const compiled = async (programs, changes = []) => {
  mkdirSync(root, { recursive: true })
  const folder = mkdtempSync(join(root, 'run-'))
  await build({
    config: false,
    entry: programs.map((program) => source(`./programs/${program}.ts`)),
    outDir: folder,
    format: 'cjs',
    target: 'node20',
    silent: true,
    splitting: false,
    noExternal: [/./],
    outExtension: () => ({ js: '.cjs' }),
    esbuildPlugins: [inPlace(changes)],
    esbuildOptions(options) {
      options.external = ['better-sqlite3', 'better-sqlite3-12', 'pg-native']
      options.alias = {
        ...driver,
        '@retrysafe/conformance': source('../conformance/src/index.ts'),
        '@retrysafe/core/fetch': source('../core/src/fetch/index.ts'),
        '@retrysafe/core/node': source('../core/src/node/index.ts'),
        '@retrysafe/core': source('../core/src/index.ts'),
        '@retrysafe/express': source('../express/src/index.ts'),
        '@retrysafe/memory': source('../memory/src/index.ts'),
        '@retrysafe/postgres': source('../postgres/src/index.ts'),
        '@retrysafe/redis': source('../redis/src/index.ts'),
        '@retrysafe/sqlite': source('../sqlite/src/index.ts'),
      }
    },
  })
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
