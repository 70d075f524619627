import { describeForgotten, describeKilled } from '@retrysafe/example-inventory/testing'

describeKilled({ target: 'hono', store: 'sqlite' })
describeForgotten('hono')
