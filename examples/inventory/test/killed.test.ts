import { describeKilled } from './suites/index.js'

describeKilled({ target: 'express', store: 'sqlite' })
describeKilled({ target: 'express', store: 'redis' })
describeKilled({ target: 'express', store: 'postgres' })
