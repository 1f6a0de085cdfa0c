// The chart over time. Areas show the parts of resident memory, in the colours of the bar. They end at all resident
// memory. Lines show Ready, Prepared, external and the limit.
import { fill } from './fill.js'
import { Filter } from './filter.js'
import uPlot from 'uplot'
import type { Moment } from '../snapshot.js'
import { age, byId, bytes, clock, colour, head, make } from './dom.js'
import { paint, patternOf } from './patterns.js'

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
  /** The seconds in view after a zoom; null: all of them. */
  #zoom: { readonly min: number; readonly max: number } | null = null
  /** The series that the user has switched off. */
  readonly #hidden = new Set<string>()
  readonly #filter = new Filter('chart', () => this.#drawTable())
  /** The lines on show. */
  #lines: readonly Series[] = lines

  readonly #pick: (at: number) => void
  /** The moment that the views of regions show; null: the newest one. */
  #marked: number | null = null

  /** Calls `pick` with the time of a moment that the user has clicked. */
  constructor(pick: (at: number) => void) {
    this.#pick = pick
    this.#host.addEventListener('keydown', (event) => {
      if (event.target === this.#host) this.#key(event)
    })
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(this.#host)
  }

  /** Shows moments, and a line at `marked`. */
  show(history: readonly Moment[], marked: number | null = null): void {
    this.#history = history
    this.#marked = marked
    const shown = [...lines, ...limitLines.filter(({ of }) => history.some((moment) => of(moment) !== null))]
    if (shown.length !== this.#lines.length || shown.some((line, i) => line !== this.#lines[i])) {
      this.#lines = shown
      this.#plot?.destroy()
      this.#plot = null
    }
    this.#plot ??= this.#make()
    this.#follow(this.#plot)
    // The legend shows the newest moment, unless the user points at another.
    // uPlot draws in a microtask of its own, and empties the legend there.
    queueMicrotask(() => {
      if ((this.#plot?.cursor.idx ?? null) === null && history.length > 0)
        this.#plot?.setLegend({ idx: history.length - 1 })
    })
    if (byId<HTMLDetailsElement>('chart-details').open) this.#drawTable()
  }

  /** Draws the history. A view that the user has zoomed stays where it is. */
  #follow(plot: uPlot): void {
    const zoom = this.#zoom
    plot.setData(this.#data(), zoom === null)
    if (zoom !== null) plot.setScale('x', zoom)
    this.#host.dataset['view'] = zoom === null ? 'all' : `${zoom.min} to ${zoom.max}`
  }

  /** The user wants to see these seconds. The view stays inside the history. */
  #show(min: number, max: number): void {
    const [first, last] = [this.#history[0]?.at ?? 0, this.#history.at(-1)?.at ?? 0].map((at) => at / 1000) as [
      number,
      number,
    ]
    const width = Math.max(1, max - min)
    const start = Math.max(first, Math.min(min, last - width))
    this.#zoom = width >= last - first ? null : { min: start, max: start + width }
  }

  /** Zooms and pans by keys, as the strip does. */
  #key(event: KeyboardEvent): void {
    const plot = this.#plot
    const { min, max } = plot?.scales['x'] ?? {}
    if (plot === null || min === undefined || max === undefined) return
    const [width, middle] = [max - min, (min + max) / 2]
    const views: Readonly<Record<string, readonly [min: number, max: number]>> = {
      '+': [middle - width / 4, middle + width / 4],
      '=': [middle - width / 4, middle + width / 4],
      '-': [middle - width, middle + width],
      ArrowLeft: [min - width / 4, max - width / 4],
      ArrowRight: [min + width / 4, max + width / 4],
      Home: [-Infinity, Infinity],
    }
    const view = views[event.key]
    if (view === undefined) return
    event.preventDefault()
    this.#show(...view)
    this.#follow(plot)
  }

  /** Builds the chart again in the current colours. */
  rebuild(): void {
    this.#plot?.destroy()
    this.#plot = null
    this.show(this.#history, this.#marked)
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
      return {
        label: name,
        show: !this.#hidden.has(name),
        value,
        stroke: colour(of),
        fill: (plot) => paint(plot.ctx, of),
        width: 0,
        points: { show: false },
      }
    })
    const lineSeries = this.#lines.map(({ name, colour: of, dash }): uPlot.Series => ({
      label: name,
      show: !this.#hidden.has(name),
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
    const plot = new uPlot(
      {
        ...this.#size(),
        hooks: {
          setSelect: [(made) => this.#selected(made)],
          setSeries: [(made) => this.#switched(made)],
          draw: [(made) => this.#drawMark(made)],
        },
        series: [{}, ...areaSeries.toReversed(), ...lineSeries],
        scales: { y: { range: () => [0, 1.08 * this.#top()] } },
        axes: [axis, { ...axis, size: 72, incrs, values: (_, ticks) => ticks.map((n) => bytes(n)) }],
      },
      this.#data(),
      this.#host,
    )
    plot.over.addEventListener('click', () => {
      const moment = this.#history[plot.cursor.idx ?? -1]
      if (moment !== undefined && plot.select.width === 0) this.#pick(moment.at)
    })
    // uPlot shows all of it on a double click.
    plot.over.addEventListener('dblclick', () => {
      this.#zoom = null
      this.#follow(plot)
    })
    makeKeyed(plot)
    markLegend(plot)
    this.#switched(plot)
    return plot
  }

  /** Draws a line at the moment that the views of regions show. */
  #drawMark({ ctx, bbox, valToPos }: uPlot): void {
    if (this.#marked === null) return
    const x = valToPos(this.#marked / 1000, 'x', true)
    if (!(x >= bbox.left && x <= bbox.left + bbox.width)) return
    ctx.save()
    ctx.strokeStyle = colour('--ink')
    ctx.lineWidth = 2
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    ctx.restore()
  }

  #selected({ select: { left, width }, posToVal }: uPlot): void {
    if (width <= 0) return
    this.#show(posToVal(left, 'x'), posToVal(left + width, 'x'))
    if (this.#plot !== null) this.#follow(this.#plot)
  }

  /** Keeps which series are switched off, and says so in the legend. */
  #switched({ root, series }: uPlot): void {
    const labels = root.querySelectorAll('.u-legend .u-series th')
    for (const [i, { label, show = true }] of series.entries()) {
      if (i === 0 || typeof label !== 'string') continue
      labels[i]?.setAttribute('aria-pressed', String(show))
      if (show) this.#hidden.delete(label)
      else this.#hidden.add(label)
    }
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
    const rows = places.flatMap((place) => {
      const moment = this.#history[place] as Moment
      if (!this.#filter.accepts([clock(moment.at)])) return []
      const values = [...this.#lines, ...areas.slice(0, -1)].map(({ of }) =>
        make('td', { class: 'n' }, bytes(of(moment))),
      )
      return make('tr', {}, make('th', { scope: 'row' }, clock(moment.at)), ...values)
    })
    fill(byId('chart-table'), head(columns, columns.slice(1)), make('tbody', {}, ...rows))
  }
}

/** Gives the areas in the legend the patterns that they have in the chart. */
function markLegend({ root }: uPlot): void {
  const rows = root.querySelectorAll('.u-legend .u-series')
  // The first row is the time, and the highest area comes next.
  for (const [i, { colour: name }] of areas.toReversed().entries()) {
    const marker = rows[i + 1]?.querySelector<HTMLElement>('.u-marker')
    marker?.classList.add(`p-${patternOf[name]}`)
    marker?.style.setProperty('background-color', colour(name))
  }
}

/** Makes the legend's series switches that keys reach: one stop of Tab, and arrows from there. */
function makeKeyed(plot: uPlot): void {
  const { root, series } = plot
  // What is drawn is a table as well.
  root.querySelector('.u-wrap')?.setAttribute('aria-hidden', 'true')
  const labels = Array.from(root.querySelectorAll<HTMLElement>('.u-legend .u-series th')).slice(1)
  for (const [i, label] of labels.entries()) {
    label.setAttribute('role', 'button')
    label.tabIndex = i === 0 ? 0 : -1
    label.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' || event.key === ' ') plot.setSeries(i + 1, { show: series[i + 1]?.show === false })
      const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
      const next = labels[i + step]
      if (step !== 0 && next !== undefined) {
        label.tabIndex = -1
        next.tabIndex = 0
        next.focus()
      }
      if (step !== 0 || event.key === ' ') event.preventDefault()
    })
  }
}
