import { describeForgotten, describeKilled } from '@retrysafe/example-inventory/testing'

describeKilled({ target: 'hono', store: 'sqlite' })
describeKilled({ target: 'hono', store: 'redis' })
describeForgotten('hono')
