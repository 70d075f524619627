import { describeDuplicates } from '@retrysafe/example-inventory/testing'

describeDuplicates({ target: 'hono', store: 'sqlite' }, { rounds: 5 })
describeDuplicates({ target: 'hono', store: 'memory' }, { rounds: 5 })
describeDuplicates({ target: 'hono', store: 'redis' }, { rounds: 3 })
