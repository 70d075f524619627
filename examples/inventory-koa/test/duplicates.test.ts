import { describeDuplicates } from '@retrysafe/example-inventory/testing'

describeDuplicates({ target: 'koa', store: 'sqlite' }, { rounds: 5 })
describeDuplicates({ target: 'koa', store: 'memory' }, { rounds: 5 })
describeDuplicates({ target: 'koa', store: 'redis' }, { rounds: 3 })
