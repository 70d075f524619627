import { expect, it } from 'vitest'
import { mediaType, pathOf } from '../src/request.js'

it('the media type is type and subtype in lower case, without parameters', () => {
  expect(mediaType('Application/JSON; charset=utf-8')).toBe('application/json')
  expect(mediaType('text/plain')).toBe('text/plain')
  expect(mediaType(' text/plain ;a="b;c"')).toBe('text/plain')
  expect(mediaType('')).toBe('')
  expect(mediaType(undefined)).toBe('')
})

it('the path of a target ends where its query begins', () => {
  expect(pathOf('/orders?a=1?b=2')).toBe('/orders')
  expect(pathOf('/orders')).toBe('/orders')
  expect(pathOf('?a')).toBe('')
})
