import { describeForgotten, describeKilled } from '@retrysafe/example-inventory/testing'

describeKilled({ target: 'koa', store: 'sqlite' })
describeKilled({ target: 'koa', store: 'redis' })
describeForgotten('koa')
