// The trace of a timeline: the bytes of each category are those of its regions at that moment, and each region lives
// from its reservation to its free.
import { traceOf, type TimelineData, type TraceEvent } from '@memlayer/inspect'
import { expect, it } from 'vitest'

const region = (id: number, name: string, category: string, size = 100): TimelineData['regions'][number] => ({
  id,
  name,
  address: id,
  size,
  category,
  stack: 0,
})

const timeline: TimelineData = {
  stacks: [''],
  regions: [
    region(1, 'first', 'a'),
    region(2, 'second', 'b'),
    region(3, 'third', 'a'),
    region(-1, 'in no region', 'a'),
  ],
  steps: [
    { at: 1, all: true, changed: [1, 90, 0, 10, -1, 0, -1, 0, 0, 5, -1, 0], gone: [] },
    { at: 2, changed: [1, 80, 0, 20, -1, 0, 2, 100, 0, 0, -1, 0], gone: [] },
    { at: 3, changed: [3, 60, 10, 30, -1, 0], gone: [1] },
  ],
}

const briefly = ({ name, ph, ts, args }: TraceEvent): string =>
  [name, ph, ts, ...['reserved', 'prepared', 'ready'].map((key) => args[key]).filter((one) => one !== undefined)].join(
    ' ',
  )

it('has the bytes of each category when they change, and the lives of regions', () => {
  const { traceEvents } = traceOf([], [], timeline)
  expect(traceEvents.filter(({ ph }) => ph === 'C').map(briefly)).toEqual([
    'category a C 1000 90 0 15',
    'category a C 2000 80 0 25',
    'category b C 2000 100 0 0',
    'category a C 3000 60 10 35',
  ])
  expect(traceEvents.filter(({ cat }) => cat === 'region').map(briefly)).toEqual([
    'first b 1000',
    'second b 2000',
    'third b 3000',
    'first e 3000',
    'second e 3000',
    'third e 3000',
  ])
  const tracks = new Map(
    traceEvents.filter(({ name }) => name === 'thread_name').map(({ tid, args }) => [tid, args['name']]),
  )
  expect([...tracks.values()].map(String).sort()).toEqual(['a', 'b', 'no category'])
  for (const { cat, tid, args } of traceEvents) if (cat === 'region') expect(tracks.get(tid)).toBe(args['category'])
})

it('begins anew at a step that has all regions, and keeps to the largest of very many', () => {
  const steps: TimelineData['steps'] = [...timeline.steps, { at: 4, all: true, changed: [2, 1, 0, 0, -1, 0], gone: [] }]
  const last = traceOf([], [], { ...timeline, steps }).traceEvents.filter(({ ph, ts }) => ph === 'C' && ts === 4000)
  expect(last.map(briefly).sort()).toEqual(['category a C 4000 0 0 0', 'category b C 4000 1 0 0'])
  const regions = Array.from({ length: 1000 }, (_, i) => region(i, `r${i}`, 'a', 1 + i))
  const changed = regions.flatMap(({ id }) => [id, 1, 0, 0, -1, 0])
  const lives = traceOf([], [], { stacks: [''], regions, steps: [{ at: 1, changed, gone: [] }] }).traceEvents.filter(
    ({ ph }) => ph === 'b',
  )
  expect(lives).toHaveLength(200)
  expect(lives.every(({ args }) => Number(args['size']) > 800)).toBe(true)
})
