import { describeApi } from './suites/index.js'

describeApi({ target: 'express', store: 'sqlite' })
describeApi({ target: 'express', store: 'postgres' })
describeApi({ target: 'express', store: 'redis' })
describeApi({ target: 'express', store: 'memory' })
