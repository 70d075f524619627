import type { HeaderPairs } from '../response.js'

/** The fields of a `Headers` object, each cookie a line of its own; other lines it has joined already. */
export const headerPairs = (headers: Headers): HeaderPairs => {
  const pairs: [string, string][] = []
  headers.forEach((value, name) => {
    if (name !== 'set-cookie') pairs.push([name, value])
  })
  // Some runtimes join cookies where they are walked over, and a cookie may have a comma in it.
  for (const cookie of headers.getSetCookie()) pairs.push(['set-cookie', cookie])
  return pairs
}
