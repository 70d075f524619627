import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { encrypted } from '../src/encrypted.js'
import { OptionError } from '../src/errors.js'
import { encodeResult } from '../src/record.js'
import { askedWith, refused, response, resultsOf } from './codec-scene.js'
import { httpScene, recordKey, standing } from './http-scene.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

expectNoUnhandledRejections()

const [key, otherKey] = [randomBytes(32), randomBytes(32)]
const secret = () => encrypted({ keys: { '2026': key }, current: '2026' })

describe('an encrypted record', () => {
  it('shows nothing of the answer', async () => {
    const { answered, inner } = httpScene({ codec: secret() })
    await answered(201, 'card 4111', { headers: [['Location', '/cards/4111']] })
    expect(JSON.stringify(await standing({ inner }))).not.toContain('4111')
    const record = await standing({ inner })
    if (record.state !== 'completed') throw new Error('it is not completed')
    expect(Buffer.from(record.result).includes('4111')).toBe(false)
  })

  it('is another one each time', async () => {
    const results = resultsOf(secret())
    const result = encodeResult(response(Buffer.from('a')))
    expect(await results.wrap(result, 'record')).not.toEqual(await results.wrap(result, 'record'))
  })

  it('cannot be read with any bit of it changed, nor with any byte missing or more', async () => {
    const results = resultsOf(secret())
    const stored = Buffer.from(await results.wrap(encodeResult(response(Buffer.from('a'))), 'r'))
    const unreadable = { code: 'store-unavailable', unreadable: true }
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const changed = Buffer.from(stored)
      changed[bit >> 3] = (stored[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      await expect(results.unwrap(changed, 'r'), `bit ${bit}`).rejects.toMatchObject(unreadable)
    }
    for (let length = 0; length < stored.length; length++) {
      const cut = stored.subarray(0, length)
      await expect(results.unwrap(cut, 'r'), `${length} bytes`).rejects.toMatchObject(unreadable)
    }
    const longer = Buffer.concat([stored, Uint8Array.of(0)])
    await expect(results.unwrap(longer, 'r')).rejects.toMatchObject(unreadable)
  })

  it('that was changed is 503, and nothing runs, not even unprotected', async () => {
    const stored = await resultsOf(secret()).wrap(encodeResult(response(Buffer.of())), recordKey)
    for (const at of [0, 1, 2, 8, 20, stored.length - 1]) {
      const changed = Buffer.from(stored)
      changed[at] = (stored[at] ?? 0) ^ 1
      expect(await askedWith(secret(), changed), `byte ${at}`).toEqual(refused)
    }
  })

  it('cannot be read under another key of the store', async () => {
    const moved = await resultsOf(secret()).wrap(encodeResult(response(Buffer.of())), 'another')
    expect(await askedWith(secret(), moved)).toEqual(refused)
  })

  it('is still read after a rotation, until its key is taken out', async () => {
    const written = await resultsOf(secret()).wrap(encodeResult(response(Buffer.of())), 'r')
    const rotated = resultsOf(
      encrypted({ keys: { '2026': key, '2027': otherKey }, current: '2027' }),
    )
    expect(await rotated.unwrap(written, 'r')).toMatchObject({ kind: 'response' })
    const renewed = await rotated.wrap(encodeResult(response(Buffer.of())), 'r')
    await expect(resultsOf(secret()).unwrap(renewed, 'r')).rejects.toThrow('codec refuses')
    const removed = encrypted({ keys: { '2027': otherKey }, current: '2027' })
    expect(await resultsOf(removed).unwrap(renewed, 'r')).toMatchObject({ kind: 'response' })
    const old = await resultsOf(secret()).wrap(encodeResult(response(Buffer.of())), recordKey)
    expect(await askedWith(removed, old)).toEqual(refused)
  })

  it('cannot be read with another key of the same name', async () => {
    const written = await resultsOf(secret()).wrap(encodeResult(response(Buffer.of())), recordKey)
    const other = encrypted({ keys: { '2026': otherKey }, current: '2026' })
    expect(await askedWith(other, written)).toEqual(refused)
  })

  it('outlives a caller who wipes his key', async () => {
    const mine = Buffer.from(key)
    const codec = encrypted({ keys: { a: mine }, current: 'a' })
    const before = await resultsOf(codec).wrap(encodeResult(response(Buffer.of())), 'r')
    mine.fill(0)
    expect(await resultsOf(codec).unwrap(before, 'r')).toMatchObject({ kind: 'response' })
  })

  it('needs keys of 32 bytes and the name of one of them, and no error shows a key', () => {
    const right = { keys: { a: key }, current: 'a' }
    const shown = [key.toString('hex'), key.toString('base64'), String(key[0])]
    const wrong: unknown[] = [
      { ...right, current: 'b' },
      { ...right, current: undefined },
      { ...right, keys: {} },
      { ...right, keys: undefined },
      { ...right, keys: { a: key.subarray(1) } },
      { ...right, keys: { a: key.toString('base64') } },
      { ...right, keys: { a: key, '': key } },
      { ...right, keys: { a: key, ['ä'.repeat(17)]: key } },
      { ...right, plain: 'allow' },
    ]
    for (const options of wrong) {
      let message = ''
      try {
        encrypted(options as never)
      } catch (error) {
        expect(error).toBeInstanceOf(OptionError)
        message = (error as Error).message
      }
      expect(message).not.toBe('')
      for (const text of shown.slice(0, 2)) expect(message).not.toContain(text)
    }
    expect(() =>
      encrypted({ keys: { ['ä'.repeat(16)]: key }, current: 'ä'.repeat(16) }),
    ).not.toThrow()
  })
})
