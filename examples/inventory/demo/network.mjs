// @ts-check
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/**
 * What lies between a sender and a server: an address that stays the same when the server is started again, and that
 * can lose an answer. The server has given the lost answer, and the sender hears nothing at all.
 */
export const openNetwork = async () => {
  let serverPort = 0
  let losesNextAnswer = false

  const network = createServer((sender) => {
    let isSilent = false
    const server = connect(serverPort, '127.0.0.1')
    server.on('data', (bytes) => {
      if (losesNextAnswer) isSilent = true
      losesNextAnswer &&= !isSilent
      if (!isSilent) sender.write(bytes)
    })
    sender.on('data', (bytes) => server.write(bytes))
    sender.on('close', () => server.destroy())
    server.on('close', () => {
      if (!isSilent) sender.destroy()
    })
    // Each is followed by its close.
    for (const side of [sender, server]) side.on('error', () => {})
  })
  network.listen(0, '127.0.0.1')
  await once(network, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (network.address())

  return {
    url: `http://127.0.0.1:${port}`,
    /** @param {number} port */
    leadTo: (port) => {
      serverPort = port
    },
    loseNextAnswer: () => {
      losesNextAnswer = true
    },
    close: () => network.close(),
  }
}
