import { startPostgres } from '../postgres-server.js'

// Starts a server, says where it is, and stays until it is killed.
const { pid, folder, pause } = await startPostgres()
if (process.argv.includes('paused')) await pause()
process.send?.({ pid, folder })
// Whoever listens is not done.
process.on('message', () => {})
