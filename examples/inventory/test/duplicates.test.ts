import { describeDuplicates } from './suites/index.js'

describeDuplicates({ target: 'express', store: 'sqlite' }, { rounds: 200 })
