// Behind `npm run points`: which guarantee of the suites, or which test elsewhere, stands for which point of the
// behaviour contract. Ends with 1 where a point has none. Sees the conformance package as built.
import * as conformance from '../packages/conformance/dist/index.js'
import { listPoints, unshown } from './points/list.mjs'

const list = listPoints(conformance)
for (const { point, section, title, shown } of list) {
  if (section) console.log(`\n${section}`)
  const number = point.includes(':') ? '' : `${point}. `
  console.log(`\n${number}${title}`)
  for (const line of shown) console.log(`   ${line}`)
}
const missing = unshown(list)
const suites = [...conformance.storeGuarantees, ...conformance.bindingGuarantees]
console.log(
  `\n${list.length} points, ${suites.length} guarantees; ` +
    (missing.length === 0
      ? 'each point is shown.'
      : `nothing shows ${missing.map(({ point }) => point).join(', ')}.`),
)
process.exitCode = missing.length === 0 ? 0 : 1
