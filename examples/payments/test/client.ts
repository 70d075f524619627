export interface Answer {
  readonly status: number
  readonly replayed: boolean
  readonly retryAfter: string | null
  readonly body: { readonly charge?: string; readonly code?: string; readonly detail?: string }
}

export const payout = { amount: 4_000, to: 'ann' }

/** Asks for a payout. */
export const pay = async (url: string, key: string, body: unknown = payout): Promise<Answer> => {
  const response = await fetch(`${url}/payouts`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer north',
      'content-type': 'application/json',
      'idempotency-key': `"${key}"`,
    },
    body: JSON.stringify(body),
  })
  return {
    status: response.status,
    replayed: response.headers.get('idempotent-replayed') === 'true',
    retryAfter: response.headers.get('retry-after'),
    body: (await response.json()) as Answer['body'],
  }
}

/** The first answer that is not "in flight". */
export const settled = async (url: string, key: string): Promise<Answer> => {
  for (;;) {
    const answer = await pay(url, key)
    if (answer.body.code !== 'request-in-flight') return answer
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
