/** What one node of a cluster says of one node: a line of CLUSTER NODES. */
export interface NodeLine {
  readonly id: string
  readonly port: number
  readonly flags: readonly string[]
  /** Of a replica. */
  readonly masterId: string
  /** The later of two that claim a slot has the greater one. */
  readonly epoch: number
  readonly slots: readonly (readonly [first: number, last: number])[]
}

/** Reads the answer of CLUSTER NODES. */
export const readView = (text: unknown): NodeLine[] => String(text).trim().split('\n').map(readLine)

const readLine = (line: string): NodeLine => {
  const [id = '', address = '', flags = '', masterId = '', , , epoch, , ...slots] = line.split(' ')
  return {
    id,
    port: Number(/:(\d+)/.exec(address)?.[1]),
    flags: flags.split(','),
    masterId,
    epoch: Number(epoch),
    // In brackets are those that are moving.
    slots: slots.filter((slot) => !slot.startsWith('[')).map(readRange),
  }
}

const readRange = (range: string): readonly [number, number] => {
  const [first, last = first] = range.split('-').map(Number)
  return [Number(first), Number(last)]
}

/** The line of the master that holds the slot, by what several nodes say. */
export const holderOf = (slot: number, lines: readonly NodeLine[]): NodeLine | undefined =>
  lines
    .filter(({ slots }) => slots.some(([first, last]) => first <= slot && slot <= last))
    .sort((one, other) => other.epoch - one.epoch)[0]
