// @ts-check

const columns = [36, 28, 15]

/**
 * Prints scenes as a table and keeps account of every figure that is not the expected one.
 *
 * @param {(line: string) => void} print
 * @param {boolean} hasColours
 */
export const createReport = (print, hasColours) => {
  /** @type {(code: number, text: string) => string} */
  const paint = (code, text) => (hasColours ? `\u001b[${code}m${text}\u001b[0m` : text)
  const bold = 1
  const faint = 2
  const green = 32
  const yellow = 33
  /** @type {string[]} */
  const wrong = []

  return {
    /** What was not as expected, one line each. */
    wrong,

    begin() {
      const [label = 0, ...sides] = columns
      const names = ['with retrysafe', 'without'].map((name, at) => name.padStart(sides[at] ?? 0))
      print(paint(bold, ''.padEnd(label) + names.join('')))
    },

    /**
     * @param {import('./scenes.mjs').Scene} scene
     * @param {readonly (readonly string[])[]} sides The values of the rows, of both sides.
     */
    scene({ title, rows }, sides) {
      print('')
      print(paint(bold, title))
      for (const [index, { label, expected, right }] of rows.entries()) {
        const cells = sides.map((values, side) => {
          const value = values[index] ?? ''
          if (value !== expected[side])
            wrong.push(
              `${title}: ${label}, ${side === 0 ? 'with' : 'without'} the layer: ${value || 'nothing'} instead of ${expected[side]}`,
            )
          const cell = value.padStart(columns[side + 1] ?? 0)
          return right === undefined ? cell : paint(value === right ? green : yellow, cell)
        })
        print(paint(faint, `  ${label}`.padEnd(columns[0] ?? 0)) + cells.join(''))
      }
    },
  }
}
