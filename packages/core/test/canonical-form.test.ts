import { parse } from 'node:querystring'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formFields, formPairs, parsedFormFields } from '../src/canonical-form.js'

const names = fc.constantFrom('a', 'b', 'c[d]', '', 'é', '__proto__', 'a b', 'a&b', 'a=b')
const values = fc.constantFrom('', '1', '2', 'é', '+', '%', ' ', '&', '=', '?', '\u0000')
const form = fc.array(fc.tuple(names, values), { maxLength: 4 })
const encoded = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')

describe('the pairs of a form', () => {
  it('are the same only where every decoded pair is, in its order', () => {
    fc.assert(
      fc.property(form, form, (a, b) => {
        const same = formPairs(encoded(a)) === formPairs(encoded(b))
        expect(same).toBe(JSON.stringify(a) === JSON.stringify(b))
      }),
      { numRuns: 2_000 },
    )
  })

  it('do not depend on how they are encoded', () => {
    expect(formPairs('a=%41+b')).toBe(formPairs('a=A%20b'))
    expect(formPairs('a')).toBe(formPairs('a='))
    expect(formPairs('?a=1')).not.toBe(formPairs('a=1'))
    expect(formPairs('a=1&b=2')).not.toBe(formPairs('b=2&a=1'))
  })

  it('are refused where an escape is no UTF-8, since all of those decode alike', () => {
    expect(() => formPairs('a=%ff')).toThrow(URIError)
    expect(() => formPairs('a=%fe')).toThrow(URIError)
    expect(() => formPairs('a=100%')).toThrow(URIError)
  })
})

describe('the fields of a form', () => {
  it('are the same from its text and from what a flat parser made of it', () => {
    fc.assert(
      fc.property(form, (pairs) => {
        const text = encoded(pairs)
        expect(parsedFormFields(parse(text))).toBe(formFields(text))
      }),
      { numRuns: 1_000 },
    )
  })

  // What qs, the parser of Express and Koa, makes of each text.
  it.each([
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a=1&a=2', { a: ['1', '2'] }],
    ['a[]=1&a[]=2', { a: ['1', '2'] }],
    ['a[0]=1&a[1]=2', { a: ['1', '2'] }],
    ['a[b]=1&a[c][d]=2', { a: { b: '1', c: { d: '2' } } }],
    ['a[b][]=1', { a: { b: ['1'] } }],
    ['a[0][b]=1&a[0][c]=2&a[1][b]=3', { a: [{ b: '1', c: '2' }, { b: '3' }] }],
    ['a[0][0]=1&a[0][1]=2&a[1][0]=3', { a: [['1', '2'], ['3']] }],
    ['tags[]=x', { tags: ['x'] }],
    ['tags[0]=x', { tags: ['x'] }],
    ['tags=a&tags=b', { tags: ['a', 'b'] }],
    ['tags[]=a&tags=b', { tags: ['a', 'b'] }],
    ['tags=x', { tags: 'x' }],
    ['a[b]=1&a[b]=2', { a: { b: ['1', '2'] } }],
  ])('are the same from %s and from its parsed value', (text, value) => {
    expect(parsedFormFields(value)).toBe(formFields(text))
  })

  it.each(['a[]=1', 'a[]=1&a[]=2', 'a[]=1&b=2&a[]=3', 'a[b][]=1&a[b][]=2'])(
    'are the same from the list %s and from what a flat parser made of it',
    (text) => {
      expect(parsedFormFields(parse(text))).toBe(formFields(text))
    },
  )

  // Again as qs reads them.
  it.each([
    ['tags[]=x', { tags: ['x'] }, 'tags=x', { tags: 'x' }],
    ['tags[0]=x', { tags: ['x'] }, 'tags=x', { tags: 'x' }],
    ['a[b][]=x', { a: { b: ['x'] } }, 'a[b]=x', { a: { b: 'x' } }],
    ['tags[]=x&tags[]=y', { tags: ['x', 'y'] }, 'tags[]=x', { tags: ['x'] }],
    ['tags[]=x&to=y', { tags: ['x'], to: 'y' }, 'tags=x&to=y', { tags: 'x', to: 'y' }],
  ])('tell %s from one that is less of a list', (list, listValue, single, singleValue) => {
    expect(formFields(list)).not.toBe(formFields(single))
    expect(parsedFormFields(listValue)).not.toBe(parsedFormFields(singleValue))
    expect(parsedFormFields(listValue)).toBe(formFields(list))
    expect(parsedFormFields(singleValue)).toBe(formFields(single))
  })

  it('keep what belongs to one item of a list apart from another', () => {
    const first = { items: [{ sku: 'A' }, { sku: 'B', quantity: '2' }] }
    const second = { items: [{ sku: 'A', quantity: '2' }, { sku: 'B' }] }
    expect(parsedFormFields(first)).not.toBe(parsedFormFields(second))
    const one = { items: [{ sku: 'A', quantity: '2' }] }
    const two = { items: [{ sku: 'A' }, { quantity: '2' }] }
    expect(parsedFormFields(one)).not.toBe(parsedFormFields(two))
  })

  it('keep the order of the values of one name', () => {
    expect(parsedFormFields({ a: ['1', '2'] })).not.toBe(parsedFormFields({ a: ['2', '1'] }))
  })

  it('are refused where they are nested too deep', () => {
    let value: unknown = '1'
    for (let depth = 0; depth < 1_000; depth++) value = { a: value }
    expect(() => parsedFormFields(value)).toThrow(RangeError)
  })
})
