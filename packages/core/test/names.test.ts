// Categories of regions with names of their own: a program that makes a name for each job does not keep them for ever.
// Names that code has asked for stay, and a stat that was kept counts again.
import { createMemory, type Memory } from '@memlayer/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { PageOS } from './page-os.js'

const page = 4096

let memory: Memory

beforeEach(() => {
  memory = createMemory(new PageOS({ pages: 4096 }))
})

/** Makes and frees regions, each with a name of its own. */
function live(from: number, end: number): void {
  for (let i = from; i < end; i++) {
    const region = memory.reserve(page, { name: `job ${i}` })
    region.commit()
    region.free()
  }
}

const names = (): string[] => Object.keys(memory.stats().categories)
/** When the job is over, names are dropped. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

describe('the categories of regions that were freed', () => {
  it('stay while they are few', async () => {
    live(0, 500)
    await turn()
    expect(names()).toHaveLength(500)
    expect(memory.stats().categories['job 0']).toMatchObject({ held: 0, peak: page, calls: 3 })
  })

  it('are dropped when they are many, except for the youngest, and their operations are still counted', async () => {
    live(0, 2000)
    await turn()
    live(2000, 4000)
    await turn()
    expect(names()).toHaveLength(256)
    expect(names().at(-1)).toBe('job 3999')
    const { total, uncategorized, categories } = memory.stats()
    const named = Object.values(categories).reduce((sum, { calls }) => sum + calls, 0)
    expect([total.calls, uncategorized.calls + named]).toEqual([16_000, 16_000])
    memory.check()
  })

  it('are not dropped while a job goes on, because an operation may be in its midst', async () => {
    live(0, 2000)
    expect(names()).toHaveLength(2000)
    await turn()
    expect(names()).toHaveLength(256)
  })

  it('stay while a region has the name, they hold bytes, have a limit, or code has asked for them', async () => {
    const reserved = memory.reserve(page, { name: 'reserved' })
    const committed = memory.reserve(page, { name: 'committed' })
    committed.commit()
    const limited = memory.reserve(page, { name: 'limited' })
    limited.stat.limit = 2 ** 20
    limited.free()
    memory.reserve(page, { name: 'asked' }).free()
    const asked = memory.stat('asked')
    live(0, 3000)
    await turn()
    expect(names().slice(0, 4)).toEqual(['reserved', 'committed', 'limited', 'asked'])
    expect(memory.stat('asked')).toBe(asked)
    reserved.commit()
    expect(reserved.stat.load()).toBe(page)
    memory.check()
  })

  it('give their place to later ones, which begin at nothing', async () => {
    const large = memory.reserve(64 * page, { name: 'large' })
    large.commit()
    large.free()
    live(0, 3000)
    await turn()
    expect(names()).not.toContain('large')
    live(3000, 3300)
    expect(new Set(Object.values(memory.stats().categories).map(({ peak }) => peak))).toEqual(new Set([page]))
    memory.check()
  })
})

describe('the stat of a region that was freed, when its name was dropped', () => {
  it('counts under the name again when it is used, and stays then', async () => {
    const region = memory.reserve(page, { name: 'old' })
    const { stat } = region
    region.free()
    live(0, 3000)
    await turn()
    expect([names().includes('old'), stat.load()]).toEqual([false, 0])
    const v = memory.sysAlloc(2 * page, stat)
    expect([stat.load(), memory.stats().categories['old']?.held, memory.stat('old').load()]).toEqual(
      Array.from({ length: 3 }, () => 2 * page),
    )
    memory.sysFree(v, 2 * page, memory.stat('old'))
    live(3000, 6000)
    await turn()
    expect(names()).toContain('old')
    memory.check()
  })

  it('has a limit when it is given one', async () => {
    const region = memory.reserve(page, { name: 'old' })
    const { stat } = region
    region.free()
    live(0, 3000)
    await turn()
    stat.limit = page
    expect([stat.limit, memory.stat('old').limit]).toEqual([page, page])
    const again = memory.reserve(4 * page, { name: 'old' })
    expect(() => again.commit()).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_OUT_OF_MEMORY' }))
    again.free()
  })

  it('is not taken for that of another memory', async () => {
    const other = createMemory(new PageOS())
    const { stat } = memory.reserve(page, { name: 'old' })
    memory.regions()[0]?.free()
    live(0, 3000)
    await turn()
    for (const wrong of [() => other.sysAlloc(page, stat), () => other.reserve(page, { stat })])
      expect(wrong).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_STAT' }))
  })
})

it('observers hear of thousands of events in order, also of those that they cause', () => {
  const v = memory.sysAlloc(4096 * page, null)
  const heard: number[] = []
  memory.observe(({ op, address }) => {
    heard.push(((address as number) - v) / page)
    // One in eight is answered with an operation, of which all hear after the events that wait.
    if (op === 'sysUnused' && heard.length % 8 === 0) memory.sysUsed(address as number, page)
  })
  const even = Array.from({ length: 2048 }, (_, i) => [v + 2 * i * page, page]).flat()
  memory.sysUnusedAll(even)
  expect(heard.slice(0, 2048)).toEqual(Array.from({ length: 2048 }, (_, i) => 2 * i))
  expect(heard.slice(2048)).toEqual(Array.from({ length: 256 }, (_, i) => 2 * (8 * i + 7)))
  memory.check()
})
