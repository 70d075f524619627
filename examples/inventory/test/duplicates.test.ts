import { describeDuplicates } from './suites/index.js'

describeDuplicates({ target: 'express', store: 'sqlite' }, { rounds: 200 })
describeDuplicates({ target: 'express', store: 'redis' }, { rounds: 5 })
describeDuplicates({ target: 'express', store: 'postgres' }, { rounds: 5 })
