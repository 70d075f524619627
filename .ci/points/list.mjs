import { machine, points } from './contract.mjs'

const named = (guarantees, point, by) =>
  guarantees
    .filter((guarantee) => guarantee.points.includes(point))
    .map(({ name }) => `${by}: ${name}`)

/** Each point with what shows that it holds: guarantees of the two suites, and tests elsewhere. */
export const listPoints = ({ storeGuarantees, bindingGuarantees, storePoints }) => [
  ...storePoints
    .filter((point) => point.startsWith('1: '))
    .map((point, at) => ({
      point,
      ...(at === 0 && { section: machine }),
      title: point.slice(3),
      shown: named(storeGuarantees, point, 'store'),
    })),
  ...points.map(({ point, section, title, tests = [] }) => ({
    point,
    section,
    title,
    shown: [
      ...named(storeGuarantees, point, 'store'),
      ...named(bindingGuarantees, point, 'binding'),
      ...tests.flatMap(({ file, names }) => names.map((name) => `${file}: ${name}`)),
    ],
  })),
]

/** The points that nothing shows. */
export const unshown = (list) => list.filter(({ shown }) => shown.length === 0)
