// @ts-check
// What an operator does about a key in doubt, beside the server that runs, on the same file.
import { answer } from '@retrysafe/core'
import { createOnce } from './once.mjs'
import { payoutOf } from './payout.mjs'
import { createProvider, ProviderError } from './provider.mjs'

const { DATABASE = './payouts.db', PROVIDER_URL = 'http://localhost:4000' } = process.env
const [command, scope = '', key = '', word = ''] = process.argv.slice(2)

if (!scope || !key || !(command === 'inspect' || (command === 'resolve' && word))) {
  console.error(`node src/operate.mjs inspect ACCOUNT KEY
node src/operate.mjs resolve ACCOUNT KEY run-again|CHARGE_ID`)
  process.exit(2)
}

/** @param {Awaited<ReturnType<typeof once.inspect>>} found */
const told = (found) => {
  switch (found.state) {
    case 'absent':
      return 'Nothing stands under this key.'
    case 'in_flight':
      return found.leaseRemainingMs > 0
        ? `Attempt ${found.attempt} may be running; ask again in ${found.leaseRemainingMs} ms.`
        : `Attempt ${found.attempt} was abandoned. Whether it has charged is not known.`
    case 'failed':
      return found.inDoubt
        ? `Attempt ${found.attempt} failed. Whether it has charged is not known.`
        : `Attempt ${found.attempt} has ended; the next retry runs.`
    case 'completed': {
      const { attempt, result } = found
      const given = result ? `${result.status} ${Buffer.from(result.body)}` : 'not kept'
      return `Completed in attempt ${attempt}: ${given}`
    }
  }
}

const provider = createProvider(PROVIDER_URL)
const once = createOnce({ database: DATABASE, provider, onDoubt: 'reject' })
try {
  if (command === 'resolve') {
    // What the handler would have answered, of a charge that the provider has confirmed.
    const given = word === 'run-again' ? word : answer(201, payoutOf(await provider.get(word)))
    const resolution = await once.resolve({ scope, key }, given)
    console.log(resolution)
    if (resolution !== 'resolved') process.exitCode = 1
  }
  console.log(told(await once.inspect({ scope, key })))
} catch (error) {
  if (!(error instanceof ProviderError)) throw error
  console.error(error.message)
  process.exitCode = 1
} finally {
  await once.close()
}
