// What the operations leave on the JavaScript heap: nothing. A function that makes a closure allocates in each call,
// also where the closure is in a branch that is never taken. So the rare half of a call is a function of its own.
import { runChild } from '@memlayer/witness'
import { expect, it } from 'vitest'

const program = `
  import { createMemory } from '@memlayer/core'
  import { getHeapStatistics } from 'node:v8'

  const n = 2 ** 20
  let next = 2 ** 40
  const no = () => {}
  const names = ['Unused', 'Used', 'HugePage', 'Free', 'Fault', 'Map']
  const memory = createMemory({
    ...Object.fromEntries(names.map((name) => ['sys' + name + 'OS', no])),
    sysReserveOS: (v, n) => (next += 2 * n),
    sysAllocOS: (n) => (next += 2 * n),
    name: 'none', traits: { pageSize: 4096, hugePageSize: 2 ** 21 }, refusal: null, view: no,
    host: { mappings: () => ({ used: 100, limit: 65530 }) },
  })
  const stat = memory.stat('pages')
  const v = memory.sysAlloc(n, stat)
  const region = memory.reserve(n)
  region.commit()
  const works = {
    'sysUnused and sysUsed': () => { memory.sysUnused(v, n); memory.sysUsed(v, n) },
    'sysFault, sysMap and sysUsed': () => { memory.sysFault(v, n); memory.sysMap(v, n, stat); memory.sysUsed(v, n) },
    'region.unused and region.commit': () => { region.unused(0, n); region.commit(0, n) },
    'region.idle and region.used': () => { region.idle(0, n); region.used(0, n) },
  }
  const measured = {}
  for (const [name, work] of Object.entries(works)) {
    const run = (times) => { for (let i = 0; i < times; i++) work() }
    for (let i = 0; i < 20; i++) run(2000)
    // A sample has a collection in it now and then, or what the engine compiles meanwhile.
    const samples = []
    for (let i = 0; i < 21; i++) {
      const before = getHeapStatistics().used_heap_size
      run(2000)
      samples.push((getHeapStatistics().used_heap_size - before) / 2000)
    }
    measured[name] = samples.sort((a, b) => a - b)[5]
  }
  console.log(JSON.stringify(measured))
`

// Reading the counter leaves an object of the engine, which is a part of a byte for each call.
const fraction = 8
// A region adds the offset to its address. A sum beyond 2^31 is an object of 16 bytes, one for each of the two calls.
const sums = 2 * 16

it.each([
  ['sysUnused and sysUsed', fraction],
  ['sysFault, sysMap and sysUsed', fraction],
  ['region.unused and region.commit', sums + fraction],
  ['region.idle and region.used', sums + fraction],
])('%s make no garbage', (name, most) => {
  const { code, stdout, stderr } = runChild(program, { from: import.meta.dirname })
  expect([code, stderr]).toEqual([0, ''])
  const measured = JSON.parse(stdout) as Record<string, number>
  expect(measured[name]).toBeLessThan(most)
})
