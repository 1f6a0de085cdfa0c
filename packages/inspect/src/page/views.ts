// All views of one snapshot, and what a person has chosen in them. app.ts hands over the snapshots.
import { sumRegions } from '../region-sums.js'
import type { Moment, SnapshotRegion } from '../snapshot.js'
import type { Timeline } from '../timeline.js'
import { showAlerts } from './alert-list.js'
import { Chart } from './chart.js'
import { Comparison } from './compare.js'
import { byId, bytes, clock, say } from './dom.js'
import { showExplained } from './explained.js'
import { Figures } from './figures.js'
import { Heat } from './heat.js'
import { Growth } from './growth.js'
import { HoldsTable } from './holds-table.js'
import { Lanes } from './lanes.js'
import { LogTable } from './log-table.js'
import { Moments } from './moments.js'
import type { Told, Wanted } from './pages.js'
import { pastOf, type Seen } from './past.js'
import { sumPlaces, type PlaceSum } from './place-sums.js'
import { Places } from './places.js'
import { RegionTable } from './region-table.js'
import type { Shown } from './shown.js'
import { inSlices, pause } from './slices.js'
import { onEditor } from './source-link.js'
import { Space } from './space.js'
import { StoresTable } from './stores-table.js'
import { Strip } from './strip.js'
import { drawTree } from './tree.js'

/** How long the view has to stand still before its pages are looked up. */
const stillMilliseconds = 120

/** What the views ask for while they show a snapshot. */
export interface ViewsSource {
  /** The moments that the chart and the figures show, oldest first. */
  history(): readonly Moment[]
  /** The regions of earlier moments. */
  readonly timeline: Timeline
  /** Finds the pages of some ranges. One answer for each range. */
  findPages(wanted: readonly Wanted[], shown: Shown): Promise<Told[]>
}

interface Current extends Summed {
  readonly space: Space
}

/** What the views of regions show: the snapshot in view, or a moment before it. */
interface Summed extends Seen {
  readonly places: readonly PlaceSum[]
}

/** The views. */
export class Views {
  readonly #source: ViewsSource
  readonly #figures = new Figures()
  readonly #strip = new Strip(() => this.#moved())
  readonly #lanes = new Lanes({
    choose: (region) => this.#choose(region),
    zoom: (factor, address) => this.#strip.zoom(factor, this.#strip.space?.placeOf(address) ?? 0),
    frame: (from, to) => this.#strip.frame(this.#strip.space?.placeOf(from) ?? 0, this.#strip.space?.placeOf(to) ?? 0),
  })
  readonly #chart = new Chart((at) => this.#moments.choose(at))
  readonly #growth = new Growth()
  readonly #table = new RegionTable(this.#growth, (region) => this.#choose(region))
  readonly #holds = new HoldsTable()
  readonly #log = new LogTable()
  readonly #heat = new Heat()
  readonly #stores = new StoresTable()
  readonly #places = new Places()
  readonly #comparison = new Comparison()
  readonly #moments = new Moments(() => void this.#showMoment())
  /** The moment that the views of regions show; null: that of the snapshot in view. */
  #past: Summed | null = null
  /** What the views show; null: nothing yet. */
  #current: Current | null = null
  /** The region whose pages the heat map shows. */
  #chosen: SnapshotRegion | null = null
  /** Whether the space is without ranges that are only Reserved. */
  #isMapped = false
  /** The number of snapshots so far. A newer one stops the work on an older one. */
  #turn = 0
  /** The number of redraws so far. */
  #drawing = 0
  #pagesTimer: ReturnType<typeof setTimeout> | undefined

  constructor(source: ViewsSource) {
    this.#source = source
    onEditor(() => {
      this.#table.redraw()
      this.#places.redraw()
      this.#holds.redraw()
    })
  }

  /** The snapshot in view. */
  get shown(): Shown | null {
    return this.#current?.shown ?? null
  }

  /** Shows a snapshot, one view after the other. The browser can draw and take keys in between. */
  async show(shown: Shown): Promise<void> {
    const own = ++this.#turn
    const isWanted = (): boolean => own === this.#turn
    const space = await inSlices(Space.of(shown.ranges, this.#isMapped), isWanted)
    const sums = space === null ? null : await inSlices(sumRegions(shown), isWanted)
    const places = sums === null ? null : await inSlices(sumPlaces(shown, sums), isWanted)
    if (space === null || sums === null || places === null) return
    this.#current = { shown, space, sums, places }
    if (Number.isNaN(this.#growth.at)) this.#growth.begin(shown, sums)
    this.#moments.show(this.#source.timeline, shown.at)
    for (const draw of this.#steps(this.#current)) {
      await draw()
      await pause()
      if (!isWanted()) return
    }
    const counts = `${shown.ranges.length / 4} ranges, ${shown.regions.length} regions`
    say('counts', `${shown.os}, pages of ${bytes(shown.pageSize)}, ${counts}, ${clock(shown.at)}`)
    document.body.dataset['at'] = String(shown.at)
  }

  #steps({ shown, space, ...rest }: Current): readonly (() => void | Promise<void>)[] {
    // Where a moment was chosen, the views of regions show it already.
    const ofRegions = this.#moments.at === null ? this.#stepsOfRegions({ shown, ...rest }) : []
    return [
      () => showAlerts(shown, this.#source.history()),
      () => this.#strip.show(shown, space),
      () => this.#lanes.show({ shown, space, view: this.#strip.view }),
      () => this.#figures.show(shown, this.#source.history()),
      () => showExplained(shown),
      ...ofRegions,
      () => this.#holds.show(shown),
      () => this.#stores.show(shown),
      () => this.#log.show(shown),
      () => this.#chart.show(this.#source.history(), this.#moments.at),
    ]
  }

  #stepsOfRegions({ shown, sums, places }: Summed): readonly (() => void | Promise<void>)[] {
    return [
      () => this.#table.show(shown, sums),
      () => this.#places.show(shown, places),
      () => drawTree(shown, sums),
      () => this.#comparison.show({ shown, sums }),
    ]
  }

  /** Shows the regions of the moment that was chosen, or those of the snapshot in view again. */
  async #showMoment(): Promise<void> {
    const [current, at] = [this.#current, this.#moments.at]
    if (current === null) return
    const isWanted = (): boolean => this.#moments.at === at
    const past = at === null ? null : await this.#pastAt(at, isWanted)
    if (!isWanted()) return
    this.#past = past
    this.#chart.show(this.#source.history(), at)
    for (const draw of this.#stepsOfRegions(past ?? current)) {
      await draw()
      await pause()
      if (!isWanted()) return
    }
    document.body.dataset['shows'] = at === null ? '' : String(at)
  }

  async #pastAt(at: number, isWanted: () => boolean): Promise<Summed | null> {
    const regions = await inSlices(this.#source.timeline.regionsAt(at), isWanted)
    if (regions === null || this.#current === null) return null
    const seen = pastOf(this.#current.shown, at, regions)
    const places = await inSlices(sumPlaces(seen.shown, seen.sums), isWanted)
    return places === null ? null : { ...seen, places }
  }

  /** Finds and draws the pages of the ranges in view. */
  async showPages(): Promise<void> {
    if (this.#current === null) return
    const { shown, space } = this.#current
    const inLanes = this.#lanes.wanted
    if (inLanes.length > 0) this.#lanes.tell(inLanes, await this.#source.findPages(inLanes, shown))
    const region = this.#chosen
    if (region === null) return
    const { from, to } = this.#strip.view
    const wanted = this.#heat.wanted(region, space.addressAt(from), space.addressAt(to), shown.pageSize)
    const [told] = await this.#source.findPages([wanted], shown)
    if (told !== undefined && region === this.#chosen) this.#heat.show(region, told, shown.pageSize)
  }

  /** Calls `showPages` once after many turns of the wheel. */
  showPagesSoon(): void {
    clearTimeout(this.#pagesTimer)
    this.#pagesTimer = setTimeout(() => void this.showPages(), stillMilliseconds)
  }

  /** Draws everything again, in the current colours and sizes, one view after the other. */
  async redraw(): Promise<void> {
    const own = ++this.#drawing
    const steps = [
      (): void => this.#chart.rebuild(),
      (): void => this.#heat.draw(),
      (): void => this.#strip.draw(),
      (): void => this.#lanes.draw(),
      (): void => {
        if (this.#current !== null) this.#figures.show(this.#current.shown, this.#source.history())
      },
      (): void => this.drawPart('explain'),
      (): void => this.drawPart('tree'),
    ]
    for (const draw of steps) {
      draw()
      await pause()
      // The window is resized many times a second.
      if (own !== this.#drawing) return
    }
  }

  /** Draws one view again, because its table was opened. */
  drawPart(part: 'chart' | 'explain' | 'tree'): void {
    const seen = this.#past ?? this.#current
    if (seen === null || this.#current === null) return
    if (part === 'chart') this.#chart.show(this.#source.history(), this.#moments.at)
    else if (part === 'explain') showExplained(this.#current.shown)
    else drawTree(seen.shown, seen.sums)
  }

  /** Keeps the moment in view. Others are compared with it, and growth counts from it. */
  async keep(): Promise<void> {
    const seen = this.#past ?? this.#current
    if (seen === null) return
    this.#comparison.keep(seen)
    this.#growth.begin(seen.shown, seen.sums)
    this.#places.begin(seen.shown.at)
    const steps: (() => void | Promise<void>)[] = [
      (): void => this.#comparison.show(seen),
      (): Promise<void> => this.#table.show(seen.shown, seen.sums),
      (): void => this.#places.show(seen.shown, seen.places),
    ]
    for (const draw of steps) {
      await pause()
      // Another snapshot, or another moment, draws them by itself.
      if (seen !== (this.#past ?? this.#current)) return
      await draw()
    }
  }

  /** Leaves out what is only Reserved, or takes it in again. */
  toggleMapped(): void {
    this.#isMapped = !this.#isMapped
    byId('mapped').setAttribute('aria-pressed', String(this.#isMapped))
    // The other space has other places, so show all of it.
    this.#strip.zoom(Infinity, 0)
    if (this.#current !== null) void this.show(this.#current.shown).then(() => this.showPages())
  }

  /** Ends the choice of a region, and what growth counts from: another process is shown. */
  forgetChoice(): void {
    this.#chosen = null
    this.#past = null
    this.#places.forget()
    this.#growth.forget()
    this.#comparison.forget()
    this.#moments.forget()
  }

  #choose(region: SnapshotRegion): void {
    this.#chosen = region
    this.#table.mark(region.id)
    this.#lanes.mark(region.id)
    void this.showPages().then(() => say('said', byId('heat-says').textContent ?? ''))
  }

  /** Another part of the space is in view. */
  #moved(): void {
    if (this.#current === null) return
    this.#lanes.show({ ...this.#current, view: this.#strip.view })
    this.showPagesSoon()
  }
}
