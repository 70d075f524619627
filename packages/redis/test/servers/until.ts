import { setTimeout as delay } from 'node:timers/promises'

/**
 * Asks again and again until the answer is neither false nor undefined, and answers that. A question that fails is
 * one that is not answered yet; what it failed with is the cause of the error when time is up.
 */
export const until = async <Answer>(
  what: string,
  question: () => Answer | Promise<Answer>,
  { everyMs = 20, withinMs = 20_000 } = {},
): Promise<Exclude<Answer, false | undefined>> => {
  const endsAt = performance.now() + withinMs
  let cause: unknown
  while (performance.now() < endsAt) {
    try {
      const answer = await question()
      if (answer !== false && answer !== undefined)
        return answer as Exclude<Answer, false | undefined>
      cause = undefined
    } catch (error) {
      cause = error
    }
    await delay(everyMs)
  }
  throw new Error(`Waited ${withinMs} ms in vain until ${what}`, { cause })
}
