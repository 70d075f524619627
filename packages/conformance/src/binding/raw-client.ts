import { connect as openSocket } from 'node:net'
import { until, within } from './waiting.js'

/** A connection byte by byte, for what a well-behaved client would not do. */
export interface RawConnection {
  /** Resolves when the bytes have left. */
  write(bytes: string | Uint8Array): Promise<void>
  received(): string
  /** Resolves when the text has arrived. */
  receives(text: string): Promise<void>
  stopReading(): void
  readOn(): void
  hangUp(): void
}

export const connect = (port: number): RawConnection => {
  const socket = openSocket(port, '127.0.0.1')
  let received = ''
  // A connection that breaks shows in what never arrives.
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
  })
  return {
    write: (bytes) =>
      within(
        'bytes to leave',
        new Promise((resolve, reject) => {
          socket.write(bytes, (error) => (error ? reject(error) : resolve()))
        }),
      ),
    received: () => received,
    receives: (text) => until(`${text} has arrived`, () => received.includes(text)),
    stopReading: () => socket.pause(),
    readOn: () => socket.resume(),
    hangUp: () => socket.destroy(),
  }
}
