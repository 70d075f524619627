import { describe, expect, it } from 'vitest'
import {
  IdempotencyError,
  InFlightError,
  isIdempotencyError,
  OptionError,
  problemStatus,
  StoreError,
} from '../src/errors.js'

describe('an error of the library', () => {
  it('has a name, a stable code, the status that fits, and its cause', () => {
    const cause = new Error('connection refused')
    const error = new StoreError('store-full', 'no room', { cause })
    expect(error).toMatchObject({ name: 'StoreError', code: 'store-full', status: 503, cause })
    expect(new InFlightError('running', 7)).toMatchObject({
      code: 'request-in-flight',
      status: 409,
      retryAfterMs: 7,
    })
    expect(new OptionError('a', 'b', 'c')).toMatchObject({ name: 'OptionError', status: 500 })
  })

  it('bears the status of every problem', () => {
    for (const [code, status] of Object.entries(problemStatus)) {
      expect(new IdempotencyError(code as keyof typeof problemStatus, '').status).toBe(status)
    }
    expect(new IdempotencyError('mounted-twice', '').status).toBe(500)
  })

  it('is known for one of ours, whichever copy of the core it comes from', () => {
    const other = Object.defineProperty(new Error('a'), Symbol.for('retrysafe.error'), {
      value: true,
    })
    expect(isIdempotencyError(other)).toBe(true)
    expect(isIdempotencyError(new StoreError('store-full', ''))).toBe(true)
    for (const value of [new Error('a'), undefined, null, 'store-full', { code: 'store-full' }]) {
      expect(isIdempotencyError(value)).toBe(false)
    }
  })
})
