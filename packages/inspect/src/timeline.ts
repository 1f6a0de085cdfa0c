// The regions of the past: what each had at each moment. Each step has only the regions that have changed since the
// step before, so an hour of a large program stays small. The recorder keeps one, and the page keeps a copy of it.
import type { SnapshotRegion } from './snapshot.js'

/** A region of the timeline, or what a category has outside of regions: then its number is below zero. */
export interface TimelineRegion extends Pick<SnapshotRegion, 'id' | 'name' | 'address' | 'size' | 'category'> {
  /** Its stack: lines of the user's own code, the innermost first, each on a line of its own. */
  readonly stack: string
}

/** What has changed from one moment to the next. */
export interface TimelineStep {
  /** The time: milliseconds since 1970. */
  readonly at: number
  /**
   * Six numbers per region that has changed: its number, bytes Reserved, Prepared and Ready, resident bytes (-1: not
   * known), and 1 where it has leaked.
   */
  readonly changed: readonly number[]
  /** The numbers of regions that are gone. */
  readonly gone: readonly number[]
  /** It has all regions: no others of the steps before are there any more. */
  readonly all?: boolean
}

/** A region as data: its stack is an index. */
export interface StoredRegion extends Omit<TimelineRegion, 'stack'> {
  /** Its stack, as its index in `stacks`. */
  readonly stack: number
}

/** A timeline as data. The first step has all regions. */
export interface TimelineData {
  /** The stacks that regions were reserved at. */
  readonly stacks: readonly string[]
  /** The regions that its steps name. */
  readonly regions: readonly StoredRegion[]
  /** The steps, the oldest first. */
  readonly steps: readonly TimelineStep[]
}

/** A part of a timeline. */
export interface TimelinePart extends TimelineData {
  /** Whether there are more steps behind it. */
  readonly more: boolean
}

/** A region with what it had at a moment. */
export interface PastRegion extends TimelineRegion {
  /** Bytes Reserved. */
  readonly reserved: number
  /** Bytes Prepared. */
  readonly prepared: number
  /** Bytes Ready. */
  readonly ready: number
  /** Resident bytes; `null`: not known. */
  readonly resident: number | null
  /** Whether it had leaked. */
  readonly leaked: boolean
}

/** Numbers per region in a step. */
const width = 6
/** Changes and steps that are kept. Beyond, older steps are joined, two by two. */
const [changesMax, stepsMax] = [50_000, 3600]
/** Changes in one part that is sent to a page. */
const partMax = 4000
/** A moment with more regions is not kept: a page could not take it in without a stop. */
const regionsMax = 20_000
/** Numbers from one pause to the next. */
const pauseNumbers = 2 ** 14

/** The steps of one memory. */
export class Timeline {
  readonly #regions = new Map<number, TimelineRegion>()
  /** What each region had at the last step. */
  #last = new Map<number, readonly number[]>()
  #steps: TimelineStep[] = []
  /** Regions in all steps together, changed or gone. */
  #changes = 0
  readonly #most: number

  constructor(most: number = changesMax) {
    this.#most = most
  }

  /** The times of the steps, the oldest first. */
  get times(): readonly number[] {
    return this.#steps.map(({ at }) => at)
  }

  /** The time of the last step; 0: there is none. */
  get last(): number {
    return this.#steps.at(-1)?.at ?? 0
  }

  /** Adds a moment. `numbers` are those of all regions, as in a step, and `describe` tells of one that is new. */
  add(at: number, numbers: readonly number[], describe: (id: number) => TimelineRegion): void {
    if (numbers.length > width * regionsMax) return
    const changed: number[] = []
    const now = new Map<number, readonly number[]>()
    for (let i = 0; i < numbers.length; i += width) {
      const id = numbers[i] as number
      const before = this.#last.get(id)
      if (before !== undefined && isSame(before, numbers, i)) {
        now.set(id, before)
        continue
      }
      const own = numbers.slice(i, i + width)
      now.set(id, own)
      changed.push(...own)
      if (before === undefined) this.#regions.set(id, describe(id))
    }
    const gone = [...this.#last.keys()].filter((id) => !now.has(id))
    this.#last = now
    // The time tells a step from the one before, also where the clock of the host was set back.
    const time = Math.max(at, this.last + 0.001)
    this.#push(this.#steps.length === 0 ? { at: time, all: true, changed, gone } : { at: time, changed, gone })
    this.#bound()
  }

  /** The steps after the time `since`, as many as are sent at once, with the regions that they name. */
  part(since: number): TimelinePart {
    const steps: TimelineStep[] = []
    let changes = 0
    const first = this.#steps.findIndex(({ at }) => at > since)
    let next = first < 0 ? this.#steps.length : first
    for (; next < this.#steps.length && (steps.length === 0 || changes < partMax); next++) {
      const step = this.#steps[next] as TimelineStep
      steps.push(step)
      changes += changesOf(step)
    }
    return { ...stored(this.#named(steps)), steps, more: next < this.#steps.length }
  }

  /** All of it. */
  data(): TimelineData {
    return { ...stored([...this.#regions.values()]), steps: this.#steps }
  }

  /** Adds a part that another timeline gave, which goes on where this one ends. */
  take({ stacks, regions, steps }: TimelineData): void {
    for (const region of regions) this.#regions.set(region.id, { ...region, stack: stacks[region.stack] ?? '' })
    for (const step of steps) this.#push(step)
    this.#bound()
  }

  /** Forgets all of it. */
  clear(): void {
    this.#regions.clear()
    this.#last.clear()
    ;[this.#steps, this.#changes] = [[], 0]
  }

  /** The regions at the last step that is not later than `at`, or at the first one. It yields now and then. */
  *regionsAt(at: number): Generator<void, PastRegion[]> {
    const found = new Map<number, readonly number[]>()
    let passed = 0
    for (const [i, step] of this.#steps.entries()) {
      if (i > 0 && step.at > at) break
      if (step.all === true) found.clear()
      for (const id of step.gone) found.delete(id)
      for (let k = 0; k < step.changed.length; k += width)
        found.set(step.changed[k] as number, step.changed.slice(k, k + width))
      passed += step.changed.length
      if (passed < pauseNumbers) continue
      passed = 0
      yield
    }
    return Array.from(found.values(), (numbers) => this.#past(numbers)).filter((one) => one !== null)
  }

  #past([
    id = NaN,
    reserved = 0,
    prepared = 0,
    ready = 0,
    resident = -1,
    leaked = 0,
  ]: readonly number[]): PastRegion | null {
    const region = this.#regions.get(id)
    if (region === undefined) return null
    return { ...region, reserved, prepared, ready, resident: resident < 0 ? null : resident, leaked: leaked === 1 }
  }

  #named(steps: readonly TimelineStep[]): TimelineRegion[] {
    const ids = new Set<number>()
    for (const { changed } of steps) for (let i = 0; i < changed.length; i += width) ids.add(changed[i] as number)
    return [...ids].map((id) => this.#regions.get(id)).filter((one) => one !== undefined)
  }

  #push(step: TimelineStep): void {
    this.#steps.push(step)
    this.#changes += changesOf(step)
  }

  #bound(): void {
    if (this.#changes > this.#most || this.#steps.length > stepsMax) this.#shorten()
  }

  /** Joins the older half of the steps two by two. Where that is not enough, the oldest ones are forgotten. */
  #shorten(): void {
    const half = this.#steps.length >> 1
    const joined: TimelineStep[] = []
    for (let i = 0; i + 1 < half; i += 2)
      joined.push(joinedOf(this.#steps[i] as TimelineStep, this.#steps[i + 1] as TimelineStep))
    this.#steps = [...joined, ...this.#steps.slice(2 * joined.length)]
    this.#changes = this.#steps.reduce((sum, step) => sum + changesOf(step), 0)
    let next = 1
    let [base] = this.#steps as [TimelineStep]
    for (; this.#changes > 0.9 * this.#most && next < this.#steps.length; next++) {
      const step = this.#steps[next] as TimelineStep
      this.#changes -= changesOf(base) + changesOf(step)
      // The first step has all regions, so nothing is gone in it.
      base = { ...joinedOf(base, step), all: true, gone: [] }
      this.#changes += changesOf(base)
    }
    this.#steps = [base, ...this.#steps.slice(next)]
    this.#forget()
  }

  /** Forgets the regions that no step names. */
  #forget(): void {
    const named = new Set(this.#named(this.#steps).map(({ id }) => id))
    for (const id of this.#regions.keys()) if (!named.has(id)) this.#regions.delete(id)
  }
}

const changesOf = ({ changed, gone }: TimelineStep): number => changed.length / width + gone.length

function isSame(before: readonly number[], numbers: readonly number[], from: number): boolean {
  for (let i = 1; i < width; i++) if (before[i] !== numbers[from + i]) return false
  return true
}

/** Two steps as one, with the time of the later one. */
function joinedOf(first: TimelineStep, second: TimelineStep): TimelineStep {
  if (second.all === true) return second
  const changed = new Map<number, readonly number[]>()
  const addAll = ({ changed: numbers }: TimelineStep): void => {
    for (let i = 0; i < numbers.length; i += width) changed.set(numbers[i] as number, numbers.slice(i, i + width))
  }
  addAll(first)
  for (const id of second.gone) changed.delete(id)
  // What was gone may be there again, where a number stands for a category.
  addAll(second)
  const step = {
    at: second.at,
    changed: [...changed.values()].flat(),
    gone: [...new Set([...first.gone, ...second.gone])],
  }
  return first.all === true ? { ...step, all: true } : step
}

function stored(regions: readonly TimelineRegion[]): { readonly stacks: string[]; readonly regions: StoredRegion[] } {
  const stacks = new Map<string, number>()
  const told = regions.map((region): StoredRegion => {
    const stack = stacks.get(region.stack) ?? stacks.size
    stacks.set(region.stack, stack)
    return { ...region, stack }
  })
  return { stacks: [...stacks.keys()], regions: told }
}
