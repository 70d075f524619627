import { describeForgotten, describeKilled } from '@retrysafe/example-inventory/testing'

describeKilled({ target: 'koa', store: 'sqlite' })
describeForgotten('koa')
