// The root README: its example runs, and its table of backends counts the traces that there are.
import { readFileSync } from 'node:fs'
import { tracesOf } from '@memlayer/golden'
import { testExamples } from '@memlayer/readme/vitest'
import { expect, it } from 'vitest'

const readme = new URL('../../../README.md', import.meta.url)

testExamples(readme)

it('says of each backend how many traces there are for it', () => {
  const said = [...readFileSync(readme, 'utf8').matchAll(/^\| \[os-(\w+)\]\([^)]*\) \| (\d+) \|/gm)].map(([, name, count]) => [name, Number(count)])
  const systems: Record<string, string[]> = { bsd: ['bsd', 'solaris'] }
  expect(said.map(([name]) => String(name)).toSorted((a, b) => a.localeCompare(b))).toEqual(['aix', 'bsd', 'darwin', 'js', 'linux', 'plan9', 'windows'])
  for (const [name, count] of said as [string, number][]) {
    expect(count, name).toBe((systems[name] ?? [name]).reduce((sum, os) => sum + tracesOf(os).length, 0))
  }
})
