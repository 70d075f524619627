import { describeDemo } from '@retrysafe/example-inventory/testing'

describeDemo({ target: 'hono', store: 'sqlite' })
describeDemo({ target: 'hono', store: 'memory' })
