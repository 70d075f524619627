/** Every text and every byte that hangs on a value: under all of its names, hidden ones and inherited ones too. */
export const everythingOn = (value: unknown, seen = new Set<unknown>()): string => {
  if (typeof value === 'string') return `${value}\n`
  if (typeof value === 'symbol') return `${String(value)}\n`
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return ''
  if (seen.has(value)) return ''
  seen.add(value)
  if (value instanceof Uint8Array) return `${Buffer.from(value).toString('latin1')}\n`
  const parts =
    value instanceof Map || value instanceof Set
      ? [...value].map((each) => everythingOn(each, seen))
      : []
  for (let owner: object | null = value; owner && owner !== Object.prototype; ) {
    for (const name of Reflect.ownKeys(owner)) {
      parts.push(everythingOn(name, seen), everythingOn(read(value, name), seen))
    }
    owner = Object.getPrototypeOf(owner)
  }
  return parts.join('')
}

const read = (value: object, name: PropertyKey): unknown => {
  try {
    return Reflect.get(value, name)
  } catch {
    return undefined
  }
}
