import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * What happens to a request, or to the answer to it, and to all that would go the same way after it. What is swallowed
 * leaves the connection open on both sides; what is cut ends it on both.
 */
export type Fault = 'swallow-request' | 'cut-request' | 'swallow-answer' | 'cut-answer'

/** Something between a client and a server that loses what it is told to lose. */
export interface FaultyProxy {
  readonly host: '127.0.0.1'
  readonly port: number
  /** As the server's, with another port. */
  readonly url: string
  /** How many connections are open. */
  readonly connections: number
  /**
   * The fault for the next request, on whichever connection, whose bytes hold the text; COMMIT is `'COMMIT'`. Resolves
   * when it has happened: of an answer, when the server has given it, hence done what was asked.
   */
  once(text: string | RegExp, fault: Fault): Promise<void>
  /** From now on nothing goes from the server to a client, the end of a connection included. */
  swallowAnswers(): void
  /** From now on nothing goes from a client to the server, the end of a connection included. */
  swallowRequests(): void
  /** Ends all connections; new ones pass. */
  cut(): void
  /** From now on everything passes, on every connection that is open; what was swallowed is lost. */
  pass(): void
  /** Ends all connections and takes no more. May be called again. */
  stop(): Promise<void>
}

interface Armed {
  readonly text: string | RegExp
  readonly fault: Fault
  readonly happened: () => void
}

type Direction = 'request' | 'answer'

interface Link {
  readonly swallows: Set<Direction>
  /** What befalls the next answer. */
  awaited: Armed | undefined
  destroy(): void
}

/** Starts a proxy on a free port, for the server on the other. */
export const startProxy = async (serverPort: number): Promise<FaultyProxy> => {
  const host = '127.0.0.1'
  const links = new Set<Link>()
  const swallows = new Set<Direction>()
  const armed: Armed[] = []

  const isSwallowed = (link: Link, direction: Direction) =>
    swallows.has(direction) || link.swallows.has(direction)

  const befall = (link: Link, { fault, happened }: Armed, direction: Direction) => {
    if (fault.startsWith('cut')) link.destroy()
    else link.swallows.add(direction)
    happened()
  }

  /** The fault that this piece meets. */
  const meets = (link: Link, direction: Direction, piece: Buffer): Armed | undefined => {
    if (direction === 'answer') return link.awaited
    const index = armed.findIndex(({ text }) => holds(piece, text))
    const [found] = index < 0 ? [] : armed.splice(index, 1)
    if (found?.fault.endsWith('request')) return found
    link.awaited ??= found
    return undefined
  }

  const forward = (link: Link, direction: Direction, from: Socket, to: Socket) => {
    from.setNoDelay()
    from.on('data', (piece) => {
      if (isSwallowed(link, direction)) return
      const met = meets(link, direction, piece)
      if (met) befall(link, met, direction)
      else if (to.writable) to.write(piece)
    })
    from.on('end', () => {
      if (!isSwallowed(link, direction)) to.end()
    })
    from.on('error', () => {
      if (!isSwallowed(link, direction)) link.destroy()
    })
  }

  const listener = createServer({ allowHalfOpen: true }, (client) => {
    const server = connect({ host, port: serverPort, allowHalfOpen: true })
    const sockets = [client, server]
    const link: Link = {
      swallows: new Set(),
      awaited: undefined,
      destroy: () => sockets.forEach((socket) => void socket.destroy()),
    }
    links.add(link)
    for (const socket of sockets)
      socket.on('close', () => {
        if (sockets.every(({ closed }) => closed)) links.delete(link)
      })
    forward(link, 'request', client, server)
    forward(link, 'answer', server, client)
  })
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(0, host, resolve)
  })
  const { port } = listener.address() as AddressInfo
  const cut = () => links.forEach((link) => void link.destroy())

  return {
    host,
    port,
    url: `postgres://postgres@${host}:${port}/postgres`,
    get connections() {
      return links.size
    },
    once: (text, fault) =>
      new Promise((happened) => {
        armed.push({ text, fault, happened })
      }),
    swallowAnswers: () => void swallows.add('answer'),
    swallowRequests: () => void swallows.add('request'),
    cut,
    pass() {
      swallows.clear()
      for (const link of links) link.swallows.clear()
    },
    async stop() {
      const closed = new Promise<void>((resolve) => {
        listener.close(() => resolve())
      })
      cut()
      await closed
    },
  }
}

const holds = (piece: Buffer, text: string | RegExp): boolean =>
  typeof text === 'string' ? piece.includes(text) : text.test(piece.toString())
