import { describeDuplicates } from '@retrysafe/example-inventory/testing'

describeDuplicates({ target: 'koa', store: 'sqlite' }, { rounds: 10 })
describeDuplicates({ target: 'koa', store: 'memory' }, { rounds: 10 })
describeDuplicates({ target: 'koa', store: 'redis' }, { rounds: 5 })
