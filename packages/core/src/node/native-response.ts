import type { ServerResponse } from 'node:http'

type Method = (...given: never[]) => unknown

/**
 * The methods of a response as they were: Node's own, or those of somebody who patched them in front of us.
 * While one of them runs, what it calls on the response in its turn goes through untouched.
 */
export const nativeOf = (response: ServerResponse) => {
  let isRunning = false

  const run = <T>(action: () => T): T => {
    const before = isRunning
    isRunning = true
    try {
      return action()
    } finally {
      isRunning = before
    }
  }
  const bound =
    (method: Method) =>
    (...given: unknown[]): unknown =>
      run(() => method.apply(response, given as never[]))

  return {
    run,
    isRunning: () => isRunning,
    writeHead: bound(response.writeHead),
    write: bound(response.write),
    end: bound(response.end),
    flushHeaders: bound(response.flushHeaders),
    setHeader: bound(response.setHeader),
    appendHeader: bound(response.appendHeader),
    removeHeader: bound(response.removeHeader),
    destroy: bound(response.destroy),
    implicitHeader: bound((response as unknown as { _implicitHeader: Method })._implicitHeader),
  }
}

export type NativeResponse = ReturnType<typeof nativeOf>
