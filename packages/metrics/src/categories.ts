// Which categories have series of their own. A program may have any number of categories, one a region, and a reader
// of metrics pays for each series. Beyond the cap they are one, `other`.
import type { Memory, MemoryStats, StateCounts } from '@memlayer/core'
import type { Point } from './points.js'

/** Categories that have series of their own, by default. */
export const categoriesMax = 200
const [none, others] = ['uncategorized', 'other']

/** The categories of one memory. One keeps its series as long as it is there. */
export class CategorySeries {
  readonly #most: number
  #own = new Set<string>()
  /** Operations of the categories without series: counters never go down, also when such a category ends. */
  #counted = new Map<string, readonly [calls: number, refusals: number]>()
  #calls = 0
  #refusals = 0

  constructor(most: number) {
    this.#most = most
  }

  /** The value of the attribute for a category; null: no category counts it. */
  nameOf(category: string | null): string {
    if (category === null) return none
    return category === none || this.#own.has(category) ? category : others
  }

  /** The points of each category. The states sum to the total. */
  points({ uncategorized, categories }: MemoryStats): Point[] {
    this.#admit(Object.keys(categories))
    const named = new Map<string, StateCounts[]>([[none, [uncategorized]]])
    const beyond: (readonly [string, StateCounts])[] = []
    for (const [category, counts] of Object.entries(categories)) {
      const name = this.nameOf(category)
      // A category may have the name `uncategorized`. Then both become one, and the sum is still the total.
      const all = named.get(name)
      if (all === undefined) named.set(name, [counts])
      else all.push(counts)
      if (name === others && !this.#own.has(category)) beyond.push([category, counts])
    }
    this.#count(beyond)
    return Array.from(named, ([category, all]) => this.#pointsOf(category, all, beyond)).flat()
  }

  /** New categories get series while there is room. */
  #admit(names: readonly string[]): void {
    this.#own = new Set(names.filter((name) => this.#own.has(name)))
    for (const name of names) {
      if (this.#own.size >= this.#most) return
      // One that was counted with the others stays there. Its own series would tell those operations again.
      if (!this.#counted.has(name)) this.#own.add(name)
    }
  }

  #count(beyond: readonly (readonly [string, StateCounts])[]): void {
    const counted = new Map<string, readonly [number, number]>()
    for (const [name, { calls, refusals }] of beyond) {
      const [callsBefore, refusalsBefore] = this.#counted.get(name) ?? [0, 0]
      this.#calls += calls - callsBefore
      this.#refusals += refusals - refusalsBefore
      counted.set(name, [calls, refusals])
    }
    this.#counted = counted
  }

  #pointsOf(
    category: string,
    all: readonly StateCounts[],
    beyond: readonly (readonly [string, StateCounts])[],
  ): Point[] {
    const sum = (key: keyof StateCounts): number => all.reduce((total, one) => total + one[key], 0)
    const isOther = category === others && beyond.length > 0
    // What of `other` has series of its own: a category of that name.
    const own = (key: 'calls' | 'refusals'): number =>
      isOther ? sum(key) - beyond.reduce((total, [, one]) => total + one[key], 0) : sum(key)
    const points = (['reserved', 'prepared', 'ready'] as const).map((state): Point => ({
      name: 'memlayer.memory.usage',
      value: sum(state),
      category,
      state,
    }))
    points.push({ name: 'memlayer.memory.held', value: sum('held'), category })
    // Peaks come at different times and do not add up.
    if (!isOther) points.push({ name: 'memlayer.memory.category.peak', value: sum('peak'), category })
    return [
      ...points,
      { name: 'memlayer.operations', value: own('calls') + (isOther ? this.#calls : 0), category },
      { name: 'memlayer.operations.refused', value: own('refusals') + (isOther ? this.#refusals : 0), category },
    ]
  }
}

const known = new WeakMap<Memory, Map<number, CategorySeries>>()

/** The series of a memory under a cap. Two exporters with one cap have the same. */
export function seriesOf(memory: Memory, most: number): CategorySeries {
  const caps = known.get(memory) ?? new Map<number, CategorySeries>()
  known.set(memory, caps)
  const series = caps.get(most) ?? new CategorySeries(most)
  caps.set(most, series)
  return series
}
