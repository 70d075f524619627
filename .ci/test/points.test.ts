import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  bindingGuarantees,
  bindingPoints,
  storeGuarantees,
  storePoints,
} from '../../packages/conformance/dist/index.js'
import { points } from '../points/contract.mjs'
import { listPoints, unshown } from '../points/list.mjs'
import { node, root } from '../setup/process.mjs'

const suites = { storeGuarantees, bindingGuarantees, storePoints }
const numbers = Array.from({ length: 45 }, (_, at) => String(at + 1))

test('the list has each of the 45 points once, in order, and no point of a suite is left out', () => {
  expect(points.map(({ point }) => point)).toEqual(numbers)
  const listed = new Set(listPoints(suites).map(({ point }) => point))
  expect([...storePoints, ...bindingPoints].filter((point) => !listed.has(point))).toEqual([])
})

test('something shows each point, and a point that nothing shows is found', () => {
  expect(unshown(listPoints(suites))).toEqual([])
  const without = bindingGuarantees.filter((guarantee) => !guarantee.points.includes('32'))
  const missing = unshown(listPoints({ ...suites, bindingGuarantees: without }))
  expect(missing.map(({ point }) => point)).toEqual(['32'])
})

test.each(points.flatMap(({ tests = [] }) => tests))(
  '$file has the tests that the list names',
  ({ file, names }: { file: string; names: string[] }) => {
    const text = readFileSync(join(root, file), 'utf8')
    for (const name of names) expect(text).toContain(name)
  },
)

test('the command prints every point and every guarantee', async () => {
  const { code, stdout } = await node('.ci/points.mjs', [], { capture: true })
  expect(code).toBe(0)
  for (const number of numbers) expect(stdout).toMatch(new RegExp(`^${number}\\. `, 'm'))
  for (const { name } of [...storeGuarantees, ...bindingGuarantees]) expect(stdout).toContain(name)
})
