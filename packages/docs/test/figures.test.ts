// The figures of the page on choosing are those of the benchmarks, so that a new run of them is not forgotten there.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')

it('says on the page of choosing only figures that the benchmarks have', () => {
  const [, costs = ''] = /## What each costs\n(.*?)\n## /s.exec(read('choosing.md')) ?? []
  const figures = [...costs.matchAll(/\b([\d,]+(?:\.\d+)?) (ms|µs|ns|%)/g)].map(
    ([, number = '', unit = '']) => `${number.replaceAll(',', '')} ${unit}`,
  )
  expect(figures.length).toBeGreaterThan(15)
  const measured = read('benchmarks.md')
  expect(figures.filter((figure) => !new RegExp(`(^|[^\\d.])${figure.replace('.', '\\.')}`).test(measured))).toEqual([])
})
