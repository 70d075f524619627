import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

// A test may run with a bare PATH.
const usualFolders = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin']

export const isProgram = (path) => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Where programs are looked for: the folders of PATH, then those that mostly are on it. */
export const programFolders = (PATH = '') => [
  ...PATH.split(delimiter).filter(isAbsolute),
  ...usualFolders,
]

/** The path of the program with that name in the first of the folders that has it. */
export const findProgram = (name, folders) =>
  folders.map((folder) => join(folder, name)).find(isProgram)
