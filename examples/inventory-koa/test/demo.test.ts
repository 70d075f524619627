import { describeDemo } from '@retrysafe/example-inventory/testing'

describeDemo({ target: 'koa', store: 'sqlite' })
