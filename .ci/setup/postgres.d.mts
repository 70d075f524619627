interface Environment {
  readonly POSTGRES_BIN?: string | undefined
  readonly PATH?: string | undefined
}

/** For the tests: a package need not allow JavaScript to ask these two things. */
export const findPostgres: (env?: Environment) => string | undefined
export const findPgBouncer: (env?: Environment) => string | undefined
