type Pair = readonly [name: string, value: string]

/** Whether a field of this name does not count. */
export type IsExcluded = (name: string) => boolean

/** The fields of these names, with all that forms nest below them in brackets: `a[]`, `a[0]` and `a[b]` are `a`'s. */
export const excludedFields = (names: readonly string[]): IsExcluded => {
  const fields = names.map(withoutIndex)
  return (name) => fields.some((field) => name === field || name.startsWith(`${field}[`))
}

const none: IsExcluded = () => false

/** Every decoded pair, in the order sent. */
export const formPairs = (text: string, isExcluded: IsExcluded = none): string =>
  JSON.stringify(pairsOf(text).filter(([name]) => !isExcluded(name)))

/**
 * What survives a parser: the pairs by name, since an object keeps no order between names. `a[]=1` and
 * `a[0]=1` are a list of one, and `a=1` is none; inside a name the index stays, since it says what belongs together.
 */
export const formFields = (text: string, isExcluded: IsExcluded = none): string =>
  sorted(listed(pairsOf(text)), isExcluded)

/** The same, of the object that a parser made. */
export const parsedFormFields = (value: unknown, isExcluded: IsExcluded = none): string =>
  sorted(listed(flatten('', value, 0)), isExcluded)

/** A name with an index, or that stands there more than once, is that of a list. */
const listed = (pairs: readonly Pair[]): Pair[] => {
  const times = new Map<string, number>()
  for (const [name] of pairs) {
    const plain = withoutIndex(name)
    times.set(plain, (times.get(plain) ?? 0) + 1)
  }
  return pairs.map(([name, value]) => {
    const plain = withoutIndex(name)
    return [plain !== name || (times.get(plain) ?? 0) > 1 ? `${plain}[]` : name, value]
  })
}

/** A flat parser makes an array of what has brackets in its name, and one list of that is one list. */
const withoutIndex = (name: string): string => name.replace(/(?:\[\])?\[\d*\]$/, '')

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
    return value.flatMap((item, index) => flatten(`${name}[${index}]`, item, depth + 1))
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([member, item]) =>
      flatten(depth === 0 ? member : `${name}[${member}]`, item, depth + 1),
    )
  }
  return [[name, String(value)]]
}

const sorted = (pairs: readonly Pair[], isExcluded: IsExcluded): string =>
  JSON.stringify(
    pairs.filter(([name]) => !isExcluded(name)).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  )
