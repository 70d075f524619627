type Pair = readonly [name: string, value: string]

/** Every decoded pair, in the order sent. */
export const formPairs = (text: string): string => JSON.stringify(pairsOf(text))

/**
 * What survives a parser: the pairs by name, since an object keeps no order between names. `a[]=1` and
 * `a[0]=1` are `a=1`, as parsers read them; inside a name the index stays, since it says what belongs together.
 */
export const formFields = (text: string): string =>
  sorted(pairsOf(text).map(([name, value]) => [name.replace(/\[\d*\]$/, ''), value]))

/** The same, of the object that a parser made. */
export const parsedFormFields = (value: unknown): string => sorted(flatten('', value, 0))

/** Throws `URIError` where an escape is not UTF-8: decoded, all of those would be the same replacement. */
const pairsOf = (text: string): Pair[] => {
  decodeURIComponent(text)
  // A question mark at the start belongs to the first name, which URLSearchParams would not know.
  return [...new URLSearchParams(`&${text}`)]
}

const maxFormDepth = 32

const flatten = (name: string, value: unknown, depth: number): Pair[] => {
  if (depth > maxFormDepth) throw new RangeError('The form is nested too deep.')
  if (Array.isArray(value)) {
    return value.flatMap((item, index) =>
      flatten(typeof item === 'object' ? `${name}[${index}]` : name, item, depth + 1),
    )
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([member, item]) =>
      flatten(depth === 0 ? member : `${name}[${member}]`, item, depth + 1),
    )
  }
  return [[name, String(value)]]
}

const sorted = (pairs: Pair[]): string =>
  JSON.stringify(pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
