import { startRedis } from '../redis-server.js'

// Starts a server, says where it is, and stays until it is killed.
const { pid, folder } = await startRedis()
process.send?.({ pid, folder })
// Whoever listens is not done.
process.on('message', () => {})
