import { describeApi } from '@retrysafe/example-inventory/testing'

describeApi({ target: 'koa', store: 'sqlite' })
describeApi({ target: 'koa', store: 'memory' })
describeApi({ target: 'koa', store: 'redis' })
describeApi({ target: 'koa', store: 'postgres' })
