// The chart over time. Areas show the parts of resident memory, in the colours of the bar. They end at all resident
// memory. Lines show Ready, Prepared, external and the limit.
import uPlot from 'uplot'
import type { Moment } from '../snapshot.js'
import { age, byId, bytes, clock, colour, head, make } from './dom.js'

/** The limit is drawn when it is less than this many times the largest other figure. Beyond, it would flatten them. */
const limitRatioMax = 3

interface Series {
  readonly name: string
  readonly colour: string
  readonly dash?: number[]
  of(moment: Moment): number | null
}

/** The areas from the bottom up. An area gets at most the resident memory that the areas below leave. */
const areas: readonly Series[] = [
  { name: 'This memory', colour: '--layer', of: ({ own }) => own },
  { name: 'JS heap', colour: '--jsHeap', of: ({ heapUsed }) => heapUsed },
  { name: 'ArrayBuffers', colour: '--arrayBuffers', of: ({ arrayBuffers }) => arrayBuffers },
  { name: 'C library, free', colour: '--mallocSlack', of: ({ slack }) => slack },
  { name: 'the rest', colour: '--rest', of: ({ resident }) => resident },
]
const lines: readonly Series[] = [
  { name: 'resident', colour: '--ink', of: ({ resident }) => resident },
  { name: 'Ready', colour: '--s3', dash: [6, 3], of: ({ ready }) => ready },
  { name: 'Prepared', colour: '--s2', dash: [6, 3], of: ({ prepared }) => prepared },
  { name: 'retained', colour: '--s2', dash: [2, 3], of: ({ retained }) => retained },
  { name: 'external', colour: '--arrayBuffers', dash: [2, 3], of: ({ external }) => external },
]
/** The limits, each drawn where there is one. */
const limitLines: readonly Series[] = [
  { name: 'memory.limit', colour: '--bad', dash: [8, 4], of: ({ ownLimit }) => ownLimit },
  { name: 'limit', colour: '--bad', of: ({ limit }) => limit },
]

/** The chart of bytes over time. */
export class Chart {
  readonly #host = byId('chart')
  #history: readonly Moment[] = []
  // The bytes of each area at each moment.
  #parts: (number | null)[][] = []
  #plot: uPlot | null = null
  /** The lines on show. */
  #lines: readonly Series[] = lines

  constructor() {
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(this.#host)
  }

  /** Shows moments. */
  show(history: readonly Moment[]): void {
    this.#history = history
    const shown = [...lines, ...limitLines.filter(({ of }) => history.some((moment) => of(moment) !== null))]
    if (shown.length !== this.#lines.length || shown.some((line, i) => line !== this.#lines[i])) {
      this.#lines = shown
      this.#plot?.destroy()
      this.#plot = null
    }
    this.#plot ??= this.#make()
    this.#plot.setData(this.#data())
    // The legend shows the newest moment, unless the user points at another.
    // uPlot draws in a microtask of its own, and empties the legend there.
    queueMicrotask(() => {
      if ((this.#plot?.cursor.idx ?? null) === null && history.length > 0)
        this.#plot?.setLegend({ idx: history.length - 1 })
    })
    if (byId<HTMLDetailsElement>('chart-details').open) this.#drawTable()
  }

  /** Builds the chart again in the current colours. */
  rebuild(): void {
    this.#plot?.destroy()
    this.#plot = null
    this.show(this.#history)
  }

  #size(): { width: number; height: number } {
    return { width: Math.max(280, this.#host.clientWidth), height: 260 }
  }

  #data(): uPlot.AlignedData {
    const ends: (number | null)[][] = areas.map(() => [])
    this.#parts = areas.map(() => [])
    for (const moment of this.#history) {
      // Where the lowest area or their sum is not known, no area has a place: there is a gap.
      const isKnown = moment.own !== null && moment.resident !== null
      let end = 0
      for (const [i, { of }] of areas.entries()) {
        const told = isKnown ? of(moment) : null
        const most = i === areas.length - 1 ? Infinity : (told ?? 0)
        const part = Math.max(0, Math.min(most, (moment.resident ?? 0) - end))
        end += part
        this.#parts[i]?.push(told === null ? null : part)
        ends[i]?.push(isKnown ? end : null)
      }
    }
    // The highest area comes first: each is drawn down to the ground, and the next one covers its lower part.
    return [
      this.#history.map(({ at }) => at / 1000),
      ...ends.toReversed(),
      ...this.#lines.map(({ of }) => this.#history.map(of)),
    ]
  }

  #make(): uPlot {
    const areaSeries = areas.map(({ name, colour: of }, i): uPlot.Series => {
      const value = (_plot: uPlot, _n: number, _series: number, at: number | null): string => {
        const moment = at === null ? undefined : this.#history[at]
        const told = i === 0 && moment !== undefined ? age(moment.ownAt ?? moment.at, moment.at) : ''
        return `${bytes(at === null ? null : (this.#parts[i]?.[at] ?? null))}${told}`
      }
      return { label: name, value, stroke: colour(of), fill: colour(of), width: 0, points: { show: false } }
    })
    const lineSeries = this.#lines.map(({ name, colour: of, dash }): uPlot.Series => ({
      label: name,
      value: (_, n: number | null) => bytes(n),
      stroke: colour(of),
      width: 1.5,
      points: { show: false },
      ...(dash === undefined ? {} : { dash }),
    }))
    const axis = {
      stroke: colour('--ink'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { stroke: colour('--line'), width: 1 },
    }
    // Ticks stand at whole KiB, MiB and GiB.
    const incrs = Array.from({ length: 50 }, (_, i) => 2 ** i)
    return new uPlot(
      {
        ...this.#size(),
        series: [{}, ...areaSeries.toReversed(), ...lineSeries],
        scales: { y: { range: () => [0, 1.08 * this.#top()] } },
        axes: [axis, { ...axis, size: 72, incrs, values: (_, ticks) => ticks.map((n) => bytes(n)) }],
      },
      this.#data(),
      this.#host,
    )
  }

  #top(): number {
    let [top, limit, ownLimit] = [1, 0, 0]
    for (const moment of this.#history) {
      top = Math.max(top, moment.resident ?? 0, moment.ready, moment.prepared, moment.external)
      limit = Math.max(limit, moment.limit ?? 0)
      ownLimit = Math.max(ownLimit, moment.ownLimit ?? 0)
    }
    return Math.max(top, ...[limit, ownLimit].filter((one) => one < limitRatioMax * top))
  }

  #drawTable(): void {
    const columns = ['Time', ...this.#lines.map(({ name }) => name), ...areas.slice(0, -1).map(({ name }) => name)]
    const last = this.#history.length - 1
    // The newest moment, and earlier ones at growing distances.
    const places = [0, 1, 2, 5, 10, 30, 60, 300, 900, 3600].map((back) => last - back).filter((place) => place >= 0)
    const rows = places.map((place) => {
      const moment = this.#history[place] as Moment
      const values = [...this.#lines, ...areas.slice(0, -1)].map(({ of }) =>
        make('td', { class: 'n' }, bytes(of(moment))),
      )
      return make('tr', {}, make('th', { scope: 'row' }, clock(moment.at)), ...values)
    })
    byId('chart-table').replaceChildren(head(columns, columns.slice(1)), make('tbody', {}, ...rows))
  }
}
