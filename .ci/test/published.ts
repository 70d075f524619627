import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../setup/process.mjs'

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly exports: Readonly<Record<string, unknown>>
  readonly devDependencies: Readonly<Record<string, string>>
}

export const manifestOf = (directory: string): Manifest =>
  JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8'))

/** The packages that users get. Throws where one is not built: these tests see what is published. */
export const published = () =>
  readdirSync(join(root, 'packages'))
    .map((name) => ({ directory: `packages/${name}`, manifest: manifestOf(`packages/${name}`) }))
    .filter(({ manifest }) => !manifest.private)
    .map((entry) => {
      if (existsSync(join(root, entry.directory, 'dist/index.js'))) return entry
      throw new Error(
        `${entry.directory} is not built. \`npm test\` builds first; so does \`pnpm build\`.`,
      )
    })

/** The specifiers that a package answers to: its name and its sub-paths. */
export const specifiersOf = ({ name, exports }: Manifest) =>
  Object.keys(exports)
    .filter((path) => path !== './package.json')
    .map((path) => name + path.slice(1))
