/**
 * What the store uses of pg: a pool, and the clients that it lends. Written down here so that a pool of another
 * make will do, as long as it speaks like pg's.
 */
export interface PostgresPool {
  connect(): Promise<PostgresClient & { release(destroy?: boolean): void }>
  /** What the pool makes its connections with; the store makes one more for LISTEN. Without it nothing listens. */
  readonly options?: object
}

/** A connection. */
export interface PostgresClient {
  query(query: Query): Promise<QueryAnswer>
  on(event: 'error', listener: () => void): unknown
  off(event: 'error', listener: () => void): unknown
}

/** A statement, as pg takes it. */
export interface Query {
  readonly text: string
  readonly values?: unknown[]
  /** Prepared under this name, once a connection. */
  readonly name?: string
  readonly types?: { getTypeParser(oid: number): (value: string) => unknown }
}

export interface QueryAnswer {
  readonly rows: unknown[]
  readonly rowCount: number | null
  readonly command: string
}
