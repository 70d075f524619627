import fc from 'fast-check'

/** A JSON document before it is text: numbers as they will be sent, members in order and perhaps of one name. */
export type Document =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'token'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly Document[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, Document])[] }

/** Half a character may be one: JavaScript's strings are sequences of these. */
export const codeUnit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code))

// Few and awkward, so that two documents often mean the same or nearly so.
const strings = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'b',
    'é',
    '"',
    '\\',
    '\n',
    '\u2028',
    '😀',
    '\ud800',
    '\udc00',
    '\\ud800',
    '1',
    'null',
  ),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'a:b', '{"a":1}', 'a","b'),
  fc.string({ unit: codeUnit, maxLength: 4 }),
)

/**
 * JSON.parse of Node 24 reads a name that is one escaped character as a backslash, now and then: what a parser
 * makes of such a document is no measure. So a name has more than one, or one that needs no escape.
 */
const isSound = (name: string): boolean => name.length !== 1 || JSON.stringify(name).length === 3
const names = strings.filter(isSound)

const tokens = fc.constantFrom(
  ...[
    'null',
    'true',
    'false',
    '0',
    '-0',
    '1',
    '1.0',
    '1e0',
    '10',
    '1e1',
    '1e400',
    '-1e400',
    '1e-400',
  ],
  ...[
    '9007199254740992',
    '9007199254740993',
    '-9007199254740993',
    '123456789012345678901234567890',
  ],
)

export const documents: fc.Arbitrary<Document> = fc.letrec<{ document: Document }>((tie) => ({
  document: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    tokens.map((text): Document => ({ kind: 'token', text })),
    strings.map((value): Document => ({ kind: 'string', value })),
    fc
      .array(tie('document'), { maxLength: 3 })
      .map((items): Document => ({ kind: 'array', items })),
    fc
      .array(fc.tuple(names, tie('document')), { maxLength: 4 })
      .map((members): Document => ({ kind: 'object', members })),
  ),
})).document

/** Two documents, of which the second is often the first with one thing changed. */
export const pairs: fc.Arbitrary<readonly [Document, Document]> = fc.oneof(
  fc.tuple(documents, documents),
  fc
    .tuple(documents, documents, fc.nat())
    .map(([document, other, at]) => [document, changed(document, other, at)] as const),
)

/** The document with one part, chosen by `at`, replaced, removed, doubled, or moved. */
const changed = (document: Document, other: Document, at: number): Document => {
  const rest = Math.floor(at / 4)
  if (document.kind === 'array' && document.items.length > 0) {
    const index = rest % document.items.length
    return {
      kind: 'array',
      items: edited(document.items, index, at % 4, (item) => changed(item, other, rest)),
    }
  }
  if (document.kind === 'object' && document.members.length > 0) {
    const index = rest % document.members.length
    const members = edited(
      document.members,
      index,
      at % 4,
      ([name, value]): readonly [string, Document] => [name, changed(value, other, rest)],
    )
    return { kind: 'object', members }
  }
  return other
}

const edited = <Part>(
  parts: readonly Part[],
  index: number,
  how: number,
  change: (part: Part) => Part,
): Part[] => {
  const part = parts[index] as Part
  const before = parts.slice(0, index)
  const after = parts.slice(index + 1)
  if (how === 0) return [...before, ...after]
  if (how === 1) return [...before, part, part, ...after]
  if (how === 2) return [...after, part, ...before]
  return [...before, change(part), ...after]
}

/** The text of a document: white space, escapes and the order of its members by chance, which starts at `seed`. */
export const written = (document: Document, seed: number): string => {
  let state = seed
  const chance = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 16) % below
  }
  const blank = (): string => ['', '', ' ', '\n', '\t\r', '  '][chance(6)] ?? ''
  const unit = (character: string): string => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0')
    const short = { '"': '\\"', '\\': '\\\\', '/': '\\/', '\n': '\\n' }[character]
    const needsEscape =
      character < ' ' || '"\\'.includes(character) || /[\ud800-\udfff]/.test(character)
    if (short !== undefined && chance(2) === 0) return short
    if (needsEscape || chance(4) === 0) return `\\u${chance(2) === 0 ? code : code.toUpperCase()}`
    return character
  }
  const string = (text: string): string => `"${text.split('').map(unit).join('')}"`
  const nameOf = (name: string): string => (name.length === 1 ? `"${name}"` : string(name))
  const text = (part: Document): string => {
    switch (part.kind) {
      case 'token':
        return part.text
      case 'string':
        return string(part.value)
      case 'array':
        return `[${part.items.map((item) => blank() + text(item) + blank()).join(',')}${blank()}]`
      case 'object': {
        const members = shuffled(part.members, chance).map(
          ([name, value]) =>
            `${blank()}${nameOf(name)}${blank()}:${blank()}${text(value)}${blank()}`,
        )
        return `{${members.join(',')}${blank()}}`
      }
    }
  }
  return blank() + text(document) + blank()
}

/** Another order; members of one name stay in theirs, since the last of them counts. */
const shuffled = (
  members: readonly (readonly [string, Document])[],
  chance: (below: number) => number,
): (readonly [string, Document])[] => {
  const rest = [...members]
  const order: (readonly [string, Document])[] = []
  while (rest.length > 0) {
    const name = rest[chance(rest.length)]?.[0]
    const index = rest.findIndex(([other]) => other === name)
    order.push(...rest.splice(index, 1))
  }
  return order
}

/**
 * What a document means, slowly and obviously: a tree without order among members of different names, numbers as
 * text, strings as their code units.
 */
export const meaning = (document: Document): string => {
  const tree = (part: Document): unknown => {
    switch (part.kind) {
      case 'token':
        return ['token', part.text]
      case 'string':
        return ['string', codeUnits(part.value)]
      case 'array':
        return ['array', ...part.items.map(tree)]
      case 'object': {
        const byName = new Map<string, unknown[]>()
        for (const [name, value] of part.members) {
          const units = codeUnits(name).join(' ')
          byName.set(units, [...(byName.get(units) ?? []), tree(value)])
        }
        return ['object', [...byName].sort(([a], [b]) => (a < b ? -1 : 1))]
      }
    }
  }
  return JSON.stringify(tree(document))
}

const codeUnits = (text: string): number[] => text.split('').map((unit) => unit.charCodeAt(0))
