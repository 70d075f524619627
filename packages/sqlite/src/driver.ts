import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { OptionError } from '@retrysafe/core'
import Driver from 'better-sqlite3'
import type { DatabaseConstructor } from './database.js'

const load = createRequire(import.meta.url)

/** The first Node that better-sqlite3 13 and later run on. */
const firstNode = 22

/**
 * Refuses a driver that would end the process: before Node 22 the constructor of better-sqlite3 13 is a
 * segmentation fault, which nobody can catch. `undefined` is a driver whose version nobody can tell, inside a
 * bundle for instance; it is let pass.
 */
export const refuseUnfitDriver = (driver: string | undefined, node: string): void => {
  if (driver === undefined || majorOf(node) >= firstNode || majorOf(driver) < 13) return
  throw new OptionError(
    'a better-sqlite3 that runs on this Node',
    `better-sqlite3 ${driver} on Node ${node}`,
    `It would end the process without an error. Install better-sqlite3@12, or run Node ${firstNode} or later.`,
  )
}

/** The driver that the application has installed, after a look at whether it can run here. */
export const installedDriver = (): DatabaseConstructor => {
  // Walking the loaded modules is only worth its time where the answer matters.
  if (majorOf(process.versions.node) < firstNode)
    refuseUnfitDriver(loadedVersion(), process.versions.node)
  return Driver
}

/**
 * The version of the module that was loaded, found from the module itself. The package's name may resolve to
 * something else here than it did for the import: a loader hook or a bundler's alias turns one and not the other.
 */
const loadedVersion = (): string | undefined => {
  const loaded = Object.values(load.cache).find((module) => module?.exports === Driver)
  const manifest = loaded
    ? join(dirname(loaded.filename), '..', 'package.json')
    : 'better-sqlite3/package.json'
  try {
    return String(load(manifest).version)
  } catch {
    return undefined
  }
}

const majorOf = (version: string): number => Number.parseInt(version, 10)
