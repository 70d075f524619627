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

/**
 * Files that look for something beside them find it, though they are bundled elsewhere.
 *
 * @type {NonNullable<import('tsup').Options['esbuildPlugins']>[number]}
 */
const inPlace = {
  name: 'in-place',
  setup({ onLoad }) {
    onLoad({ filter: /\.m?ts$|\.mjs$/ }, ({ path }) => {
      if (path.includes('node_modules')) return undefined
      const place = JSON.stringify(pathToFileURL(path).href)
      return {
        loader: path.endsWith('ts') ? 'ts' : 'js',
        contents: readFileSync(path, 'utf8').replaceAll(/\bimport\.meta\.url\b/g, place),
      }
    })
  },
}

/**
 * Compiles programs with the sources as they are, each into one file with all that it needs: they are started by the
 * hundred. Answers their folder, and what removes it.
 *
 * @param {readonly string[]} programs
 */
export const compiled = async (programs) => {
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
    esbuildPlugins: [inPlace],
    esbuildOptions(options) {
      options.external = ['better-sqlite3', 'better-sqlite3-12', 'pg-native']
      options.alias = {
        ...driver,
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
