import { describeApi } from './suites/index.js'

describeApi({ target: 'express', store: 'sqlite' })
describeApi({ target: 'express', store: 'redis' })
