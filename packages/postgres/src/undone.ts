import { sqlStateOf } from './unavailable.js'

/** Postgres's word for what it has undone because of another transaction: asked once more, it may go through. */
const serialisationFailure = '40001'

/**
 * Asks again what the server has undone for another transaction's sake, until time is over. At READ COMMITTED none of
 * the store's statements meets that; where the database's own default is a higher level, every one of them may. For a
 * statement that is a transaction of its own: nothing of it stands.
 */
export const untilDone = async <T>(ask: () => Promise<T>, withinMs: number): Promise<T> => {
  const endsAt = performance.now() + withinMs
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (sqlStateOf(error) !== serialisationFailure || performance.now() >= endsAt) throw error
    }
  }
}
