export type { PostgresClient, PostgresPool, Query, QueryAnswer } from './postgres-client.js'
export type { PostgresOptions, PostgresSource, PostgresStoreOptions } from './postgres-options.js'
export { type PostgresStore, postgresStore } from './postgres-store.js'
export { postgresSchema } from './schema.js'
