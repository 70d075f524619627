import type { ServerResponse } from 'node:http'

/** Keeps a connection from being cut by the application while an answer that it has given is still held. */
export interface HeldConnection {
  hold(): void
  /** Somebody wants it cut; so it will be, when the answer has left. `false` where it is not held. */
  cutLater(): boolean
  /** Once the answer has been handed to the connection. */
  letGo(): void
}

/**
 * Express cuts the connection when an error comes after the answer. By then an answer of a usual size has left, were it
 * not for us. A client that goes away, and whatever Node says of the connection with an error, is heard at once.
 */
export const holdConnection = (response: ServerResponse): HeldConnection => {
  let release: (() => void) | undefined
  let isToBeCut = false
  const cutLater = (): boolean => {
    isToBeCut = release !== undefined && !response.closed
    return isToBeCut
  }
  return {
    cutLater,
    hold: () => {
      const { socket } = response
      // Behind an earlier answer of a pipeline the connection is not yet ours to hold.
      if (socket === null || release) return
      const { destroy } = socket
      const isOwn = Object.hasOwn(socket, 'destroy')
      let isHolding = true
      const held = (error?: Error) => {
        const isGone = error !== undefined || socket.readableEnded
        if (!isHolding || isGone) return destroy.call(socket, error)
        cutLater()
        return socket
      }
      socket.destroy = held
      release = () => {
        isHolding = false
        // Whoever has put another in its place since keeps it, and ours passes on.
        if (socket.destroy !== held) return
        if (isOwn) socket.destroy = destroy
        else Reflect.deleteProperty(socket, 'destroy')
      }
    },
    letGo: () => {
      release?.()
      if (!isToBeCut) return
      // A response that has finished has let go of its connection.
      const { socket } = response.req
      if (!response.writableEnded || response.writableFinished) socket.destroy()
      else response.once('finish', () => socket.destroy())
    },
  }
}
