// The root README: its example runs. Its table of backends has the number of traces, and the number of tests that
// passed on QEMU's machines.
import { readFileSync } from 'node:fs'
import { tracesOf } from '@memlayer/golden'
import { testExamples } from '@memlayer/readme/vitest'
import { expect, it } from 'vitest'

const readme = new URL('../../../README.md', import.meta.url)

testExamples(readme)

it('gives the number of traces for each backend', () => {
  const said = [...readFileSync(readme, 'utf8').matchAll(/^\| \[os-(\w+)\]\([^)]*\) \| (\d+) \|/gm)].map(
    ([, name, count]) => [name, Number(count)],
  )
  const systems: Record<string, string[]> = { bsd: ['bsd', 'solaris'] }
  expect(said.map(([name]) => String(name)).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'aix',
    'bsd',
    'darwin',
    'js',
    'linux',
    'plan9',
    'windows',
  ])
  for (const [name, count] of said as [string, number][]) {
    expect(count, name).toBe((systems[name] ?? [name]).reduce((sum, os) => sum + tracesOf(os).length, 0))
  }
})

it('gives the same kernel, passed tests and day for QEMU’s machines as their own table', () => {
  const table = readFileSync(new URL('../../../tooling/kernels/README.md', import.meta.url), 'utf8')
  const machines = [...table.matchAll(/^\| `[\w-]+` \| (.*) \|$/gm)].map(([, row = '']) => row.split(' | '))
  expect(machines).toHaveLength(3)
  const kernels = new Set(machines.map(([kernel = '']) => /^Linux [\d.]+/.exec(kernel)?.[0]))
  const days = new Set(machines.map((row) => row.at(-1)))
  expect([kernels.size, days.size]).toEqual([1, 1])
  for (const row of machines) expect(row.slice(5, 7)).toEqual(['0', '0'])
  const passed = machines.map((row) => row[4]).join(' + ')
  const proof = `${passed} tests by \`npm run test:kernels\`, ${[...kernels].join()}, ${[...days].join()}`
  expect(readFileSync(readme, 'utf8')).toContain(proof)
})
