import { hasSomePostgres } from '../../postgres/test/servers/some-postgres.js'
import { hasSomeRedis } from '../../redis/test/servers/some-redis.js'
import { compareInterleavings } from '../src/model/compare-interleavings.js'
import { compareSequences } from '../src/model/compare-sequences.js'
import type { ComparedStore, StoreName } from '../src/model/compared-store.js'
import { enumerate } from '../src/model/enumerate.js'
import { modelOptions, usage } from '../src/model/model-options.js'
import { comparisonReport, enumerationReport } from '../src/model/model-report.js'
import { comparedPostgres, comparedRedis } from '../src/model/stores-on-servers.js'
import { comparedMemory, comparedSqlite } from '../src/model/stores-on-set-clocks.js'
import type { Bounds } from '../src/model/transitions.js'

const opening: Record<StoreName, () => Promise<ComparedStore>> = {
  memory: comparedMemory,
  sqlite: comparedSqlite,
  redis: comparedRedis,
  postgres: comparedPostgres,
}

const whole: readonly Bounds[] = [
  // Both keys at once; and one with all that the network can do to three callers.
  { keys: 2, callers: 3, lateCalls: 0, progress: false },
  { keys: 1, callers: 3, lateCalls: 1, progress: true },
  { keys: 1, callers: 2, lateCalls: 2, progress: true },
]

// Twelve commands for each record, on average.
const ticks = 8

/** Enumerates the machine, holds the stores against it, and prints both. Answers the exit code. */
export const checkModel = async (args: readonly string[]): Promise<number> => {
  const options = modelOptions(args)
  if (!options) {
    console.error(usage)
    return 2
  }
  const { enumerates, stores, sequences, interleavings, seed } = options
  const isMissing = {
    redis: !hasSomeRedis,
    postgres: !hasSomePostgres,
    memory: false,
    sqlite: false,
  }
  const missing = stores.filter((name) => isMissing[name])
  if (missing.length > 0) {
    console.error(`There is no server here for ${missing.join(', ')}. \`--stores\` leaves it out.`)
    return 2
  }

  if (enumerates) for (const bounds of whole) console.log(enumerationReport(enumerate(bounds)))
  let holds = true
  for (const name of stores) {
    const store = await opening[name]()
    try {
      const compared = await compareSequences(store, { seed, sequences, ticks })
      const interleaved = await compareInterleavings(store, { seed, runs: interleavings })
      console.log(comparisonReport(name, { seed }, compared, interleaved))
      holds &&= compared.disagreements.length === 0 && interleaved.disagreement === undefined
    } finally {
      await store.close()
    }
  }
  console.log(holds ? 'Everything holds.' : 'NOT everything holds.')
  return holds ? 0 : 1
}
