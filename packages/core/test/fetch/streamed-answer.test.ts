import { describe, expect, it } from 'vitest'
import { gate } from '../faulty-store.js'
import { expectNoUnhandledRejections } from '../unhandled-rejections.js'
import { bareHandler, controlledStream, nextOf, turns } from './bare-handler.js'

expectNoUnhandledRejections()

const readerOf = (response: Response) =>
  (
    response.body as ReadableStream<Uint8Array>
  ).getReader() as ReadableStreamDefaultReader<Uint8Array>

describe('a stream that a fetch handler answers with', () => {
  it('is held as a whole where it is whole within a turn of the event loop', async () => {
    const { store, send } = bareHandler(
      () =>
        new Response(
          new ReadableStream({
            start: (controller) => {
              for (const text of ['one ', 'two ']) controller.enqueue(Buffer.from(text))
              controller.close()
            },
          }),
        ),
    )
    const stored = gate()
    store.next('complete', stored.call)
    const answered = send('k')
    await turns()
    expect(store.calls).toContain('complete')
    stored.open()
    expect(await (await answered).text()).toBe('one two ')
    expect(await (await send('k')).text()).toBe('one two ')
  })

  it('leaves as it comes, and its end when the record is durable', async () => {
    const source = controlledStream()
    const { store, send } = bareHandler(() => new Response(source.stream))
    const stored = gate()
    store.next('complete', stored.call)
    const reader = readerOf(await send('k'))
    source.give('one ')
    expect(await nextOf(reader)).toBe('one ')
    expect(store.calls).not.toContain('complete')
    source.end()
    let isOver = false
    const over = reader.read().then(() => {
      isOver = true
    })
    await turns()
    expect(store.calls).toContain('complete')
    expect(isOver).toBe(false)
    stored.open()
    await over
    expect(await (await send('k')).text()).toBe('one ')
  })

  it('is asked for no more than the client has taken', async () => {
    const source = controlledStream()
    const { send } = bareHandler(() => new Response(source.stream))
    const reader = readerOf(await send('k'))
    source.give('one ')
    await nextOf(reader)
    const before = source.pulls()
    await turns()
    expect(source.pulls()).toBe(before)
    void reader.read()
    await turns()
    expect(source.pulls()).toBe(before + 1)
    source.end()
  })

  it('keeps back the byte that reaches its length', async () => {
    const source = controlledStream()
    const { store, send } = bareHandler(
      () => new Response(source.stream, { headers: { 'Content-Length': '8' } }),
    )
    const stored = gate()
    store.next('complete', stored.call)
    const reader = readerOf(await send('k'))
    source.give('one ')
    expect(await nextOf(reader)).toBe('one ')
    source.give('two ')
    let last: string | undefined
    const taken = nextOf(reader).then((text) => {
      last = text
    })
    await turns()
    expect(store.calls).toContain('complete')
    expect(last).toBeUndefined()
    stored.open()
    await taken
    expect(last).toBe('two ')
    source.end()
    expect(await nextOf(reader)).toBeUndefined()
  })

  it('is recorded before the byte that makes it too long to be kept, and flows on', async () => {
    const source = controlledStream()
    const { store, send, heard } = bareHandler(() => new Response(source.stream, { status: 201 }), {
      maxStoredBody: 6,
    })
    const stored = gate()
    store.next('complete', stored.call)
    const reader = readerOf(await send('k'))
    source.give('one ')
    expect(await nextOf(reader)).toBe('one ')
    source.give('two ')
    let second: string | undefined
    const taken = nextOf(reader).then((text) => {
      second = text
    })
    await turns()
    expect(second).toBeUndefined()
    stored.open()
    await taken
    expect(second).toBe('two ')
    expect(heard.names).toContain('completed')
    source.give('three')
    expect(await nextOf(reader)).toBe('three')
    source.end()
    expect(await nextOf(reader)).toBeUndefined()
    expect((await send('k')).status).toBe(409)
  })

  it('is passed on untouched where its head says that it cannot be kept', async () => {
    for (const headers of [
      { 'Content-Type': 'text/event-stream' },
      { 'Content-Length': String(2 * 1024 * 1024) },
    ]) {
      const given = new Response(controlledStream().stream, { headers })
      const { send, heard } = bareHandler(() => given)
      expect(await send('k')).toBe(given)
      expect(heard.names).toEqual(['acquired', 'completed'])
      expect((await send('k')).status).toBe(409)
    }
  })

  it('of 10 MB arrives whole, and no more of it is held than can be kept', async () => {
    const chunk = new Uint8Array(64 * 1024).fill(7)
    let given = 0
    const { send } = bareHandler(
      () =>
        new Response(
          new ReadableStream({
            pull: (controller) => {
              if (given++ === 160) controller.close()
              else controller.enqueue(chunk)
            },
          }),
        ),
    )
    const response = await send('k')
    await turns()
    expect(given).toBeLessThan(20)
    expect((await response.arrayBuffer()).byteLength).toBe(160 * chunk.length)
  })

  it('does not run again where its source fails after its head has left', async () => {
    const source = controlledStream()
    const { send, heard } = bareHandler(() => new Response(source.stream))
    const reader = readerOf(await send('k'))
    source.give('one ')
    await nextOf(reader)
    source.fail(new Error('the source failed'))
    await expect(reader.read()).rejects.toThrow('the source failed')
    await turns()
    expect(heard.names).toEqual(['acquired', 'completed'])
    expect((await send('k')).status).toBe(409)
  })

  it('runs again where its source fails before anything has left', async () => {
    const { send, heard } = bareHandler(
      () =>
        new Response(
          new ReadableStream({
            pull: () => {
              throw new Error('the source failed')
            },
          }),
        ),
    )
    await expect(send('k')).rejects.toThrow('the source failed')
    expect(heard.names).toEqual(['acquired', 'failed'])
  })

  it('is recorded at once where the client goes in the middle', async () => {
    const source = controlledStream()
    const { send, heard } = bareHandler(() => new Response(source.stream))
    const reader = readerOf(await send('k'))
    source.give('one ')
    await nextOf(reader)
    await reader.cancel()
    await turns()
    expect(source.isCancelled()).toBe(true)
    expect(heard.names).toEqual(['acquired', 'completed'])
    expect((await send('k')).status).toBe(409)
  })

  it('is read to its end where the client went before its head had left', async () => {
    for (const capturing of [{}, { isGone: () => true }]) {
      const source = controlledStream()
      const { send, heard } = bareHandler(() => new Response(source.stream), {}, capturing)
      const answered = send('k')
      if (!('isGone' in capturing)) await (await answered).body?.cancel()
      await turns()
      source.give('one ')
      source.end()
      await answered
      await turns()
      expect(heard.names).toEqual(['acquired', 'completed'])
      expect(await (await send('k')).text()).toBe('one ')
    }
  })

  it('that is broken off stays a failure where its status is one', async () => {
    const source = controlledStream()
    const { send, heard } = bareHandler(() => new Response(source.stream, { status: 503 }))
    const reader = readerOf(await send('k'))
    source.give('one ')
    await nextOf(reader)
    await reader.cancel()
    await turns()
    expect(heard.names).toEqual(['acquired', 'failed'])
  })

  it('of a failure ends the record when it ends, however long it has grown', async () => {
    const source = controlledStream()
    const { send, heard } = bareHandler(() => new Response(source.stream, { status: 503 }), {
      maxStoredBody: 3,
    })
    const reader = readerOf(await send('k'))
    source.give('four')
    await nextOf(reader)
    await turns()
    expect(heard.names).toEqual(['acquired'])
    source.end()
    await nextOf(reader)
    expect(heard.names).toEqual(['acquired', 'failed'])
  })

  it('of a failure leaves whole, whatever its size', async () => {
    const { send, heard } = bareHandler(
      () => new Response('0123456789'.repeat(3), { status: 503 }),
      { maxStoredBody: 10 },
    )
    expect(await (await send('k')).text()).toHaveLength(30)
    expect(heard.names).toEqual(['acquired', 'failed'])
  })

  it('of something that is no bytes breaks off', async () => {
    const { send } = bareHandler(
      () =>
        new Response(new ReadableStream({ pull: (controller) => controller.enqueue(7 as never) })),
    )
    await expect(send('k')).rejects.toThrow(TypeError)
  })
})

describe('a handler that has lost its lease', () => {
  it('gives what stands in place of a whole answer', async () => {
    const { store, send } = bareHandler(() => new Response('x', { headers: { 'X-Dropped': '1' } }))
    store.next('complete', async () => 'stale')
    const response = await send('k')
    expect(response.status).toBe(409)
    expect(response.headers.get('Content-Type')).toBe('application/problem+json')
    expect(response.headers.get('X-Dropped')).toBeNull()
  })

  it('gives what stands in place of an answer whose first byte makes it too long', async () => {
    const source = controlledStream()
    const { store, send } = bareHandler(() => new Response(source.stream), { maxStoredBody: 3 })
    store.next('complete', async () => 'stale')
    const answered = send('k')
    source.give('four')
    expect((await answered).status).toBe(409)
    expect(source.isCancelled()).toBe(true)
  })

  it('breaks off what has begun to leave', async () => {
    const source = controlledStream()
    const { store, send } = bareHandler(() => new Response(source.stream))
    store.next('complete', async () => 'stale')
    const reader = readerOf(await send('k'))
    source.give('one ')
    expect(await nextOf(reader)).toBe('one ')
    source.end()
    await expect(reader.read()).rejects.toThrow('Another answer stands')
  })
})
