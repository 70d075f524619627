import { decodedFor } from './content-coding.js'
import { type ProblemSettings, problemResponse } from './problem.js'
import type { StoredResult } from './record.js'
import { fieldLines, type HttpResponse } from './response.js'

export interface ReplyTerms {
  readonly problems: ProblemSettings
  readonly replayedHeader: string
  /** The Accept-Encoding lines of the one who asks now. */
  readonly acceptEncoding: readonly string[]
  /** What the application makes of a stored answer. */
  readonly rebuild?: ((stored: HttpResponse) => Promise<HttpResponse>) | undefined
}

/** The stored answer, byte for byte unless it is rebuilt, and marked as a replay; or the problem that there is none. */
export const replayOf = async (
  result: StoredResult,
  { problems, replayedHeader, acceptEncoding, rebuild }: ReplyTerms,
): Promise<HttpResponse> => {
  if (result.kind !== 'response') {
    const location = result.kind === 'response-not-stored' ? result.location : undefined
    return problemResponse('response-not-stored', problems, { location })
  }
  const given = rebuild ? await rebuild(result.response) : result.response
  const response = await decodedFor(given, acceptEncoding)
  if (response === undefined) {
    const [location] = fieldLines(given.headers, 'location')
    return problemResponse('response-not-stored', problems, { location })
  }
  const marker = replayedHeader.toLowerCase()
  const others = response.headers.filter(([name]) => name.toLowerCase() !== marker)
  return { ...response, headers: [...others, [replayedHeader, 'true']] }
}
