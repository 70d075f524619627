/** What does not count of a JSON document, from one place of it downwards. */
export interface ExcludedMembers {
  /** Nothing of this place counts. */
  readonly isWhole: boolean
  /** By name, as JSON writes it. */
  readonly members: ReadonlyMap<string, ExcludedMembers>
  /** By index. */
  readonly items: ReadonlyMap<number, ExcludedMembers>
}

interface Place extends ExcludedMembers {
  isWhole: boolean
  readonly members: Map<string, Place>
  readonly items: Map<number, Place>
}

/** Whether a text is a JSON Pointer to a part of a document (RFC 6901, section 3). */
export const isPointer = (text: string): boolean => /^(?:\/(?:[^~/]|~[01])*)+$/s.test(text)

/** The names that a pointer goes through (RFC 6901, section 4). */
const tokensOf = (pointer: string): string[] =>
  pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))

/**
 * A text that starts with `/` is a JSON Pointer, every other the name of a member of the document itself.
 * `undefined` where nothing is left out.
 */
export const excludedMembers = (names: readonly string[]): ExcludedMembers | undefined => {
  const root = emptyPlace()
  const isPath = (name: string): boolean => name.startsWith('/')
  for (const pointer of names.filter(isPath)) {
    tokensOf(pointer).reduce(below, root).isWhole = true
  }
  // A place of its own, since what a pointer names may also be an item of an array.
  for (const name of names.filter((given) => !isPath(given))) {
    root.members.set(JSON.stringify(name), { ...emptyPlace(), isWhole: true })
  }
  return names.length === 0 ? undefined : root
}

/** The top-level names among them, for what has no places below: a form. */
export const excludedNames = (names: readonly string[]): string[] =>
  names.flatMap((name) => {
    if (!name.startsWith('/')) return [name]
    const tokens = tokensOf(name)
    return tokens.length === 1 ? tokens : []
  })

const emptyPlace = (): Place => ({ isWhole: false, members: new Map(), items: new Map() })

/** A token may be the name of a member or the index of an item: the document says which. */
const below = (place: Place, token: string): Place => {
  const name = JSON.stringify(token)
  const next = place.members.get(name) ?? emptyPlace()
  place.members.set(name, next)
  if (/^(?:0|[1-9]\d*)$/.test(token)) place.items.set(Number(token), next)
  return next
}
