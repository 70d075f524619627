/**
 * One object for the whole process, however many copies of this module it holds: an application may mix ESM and
 * CommonJS, and each has a core of its own.
 */
export const processWide = <T>(name: string, create: () => T): T => {
  const symbol = Symbol.for(`retrysafe.${name}`)
  const registry = globalThis as { [symbol]?: T }
  const shared = registry[symbol] ?? create()
  registry[symbol] = shared
  return shared
}
