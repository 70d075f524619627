import { describeApi } from '@retrysafe/example-inventory/testing'

describeApi({ target: 'hono', store: 'sqlite' })
describeApi({ target: 'hono', store: 'memory' })
describeApi({ target: 'hono', store: 'redis' })
describeApi({ target: 'hono', store: 'postgres' })
