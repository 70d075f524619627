import { Agent, type IncomingHttpHeaders, request } from 'node:http'

/** As many connections as there are requests: what is sent at the same instant must not queue up here. */
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })

/** Closes the connections to a server that are kept alive for a next request. */
export const hangUp = (url: string) => {
  const name = `${new URL(url).host}:`
  for (const all of [agent.sockets, agent.freeSockets])
    for (const socket of all[name] ?? []) socket.destroy()
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly replayed: boolean
}

interface Sent {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

export const send = (url: string, { method = 'GET', headers = {}, body }: Sent = {}) =>
  new Promise<Answer>((resolve, reject) => {
    const sent = request(url, { agent, method, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('error', reject).on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          replayed: response.headers['idempotent-replayed'] === 'true',
        }),
      )
    })
    sent.on('error', reject).end(body)
  })

/** Sends an adjustment. `undefined` for key or supplier leaves the header out. */
export const adjust = (
  url: string,
  key: string | undefined,
  adjustment: unknown,
  supplier: string | undefined = 'acme',
) => sendBody(url, key, JSON.stringify(adjustment), 'application/json', supplier)

/** Sends whatever it is in the place of an adjustment. */
export const sendBody = (
  url: string,
  key: string | undefined,
  body: string,
  type: string,
  supplier = 'acme',
) =>
  send(`${url}/adjustments`, {
    method: 'POST',
    headers: {
      'content-type': type,
      ...(key !== undefined && { 'idempotency-key': key }),
      ...(supplier !== '' && { authorization: `Bearer ${supplier}` }),
    },
    body,
  })

export const get = async (url: string, path: string) => JSON.parse((await send(url + path)).text)

export const onHand = async (url: string, sku: string): Promise<number> =>
  (await get(url, `/stock/${sku}`)).onHand

export const adjustments = (url: string): Promise<{ id: number; sku: string; delta: number }[]> =>
  get(url, '/adjustments')
