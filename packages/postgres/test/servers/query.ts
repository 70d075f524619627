import { Socket } from 'node:net'
import { Client, type QueryResultRow } from 'pg'

/** Gives one question on a connection of its own, once, and answers the rows. Rejects soon where nobody answers. */
export const query = async <Row extends QueryResultRow = QueryResultRow>(
  connectionString: string,
  sql: string,
  values?: readonly unknown[],
): Promise<Row[]> => {
  const socket = new Socket()
  const client = new Client({
    connectionString,
    ssl: false,
    stream: () => socket,
    connectionTimeoutMillis: 2_000,
    query_timeout: 5_000,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<Row>(sql, values && [...values])
    await client.end()
    return rows
  } finally {
    // One that is paused would not answer a farewell.
    socket.destroy()
  }
}
