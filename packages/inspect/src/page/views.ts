// All views of one snapshot, and what a person has chosen in them. app.ts hands over the snapshots.
import { sumRegions, type RegionSums } from '../region-sums.js'
import type { Moment, SnapshotRegion } from '../snapshot.js'
import { showAlerts } from './alert-list.js'
import { Chart } from './chart.js'
import { Comparison } from './compare.js'
import { byId, bytes, clock, say } from './dom.js'
import { showExplained } from './explained.js'
import { Figures } from './figures.js'
import { Heat } from './heat.js'
import { HoldsTable } from './holds-table.js'
import { Lanes } from './lanes.js'
import { LogTable } from './log-table.js'
import type { Told, Wanted } from './pages.js'
import { sumPlaces, type PlaceSum } from './place-sums.js'
import { Places } from './places.js'
import { RegionTable } from './region-table.js'
import type { Shown } from './shown.js'
import { inSlices, pause } from './slices.js'
import { Space } from './space.js'
import { Strip } from './strip.js'
import { drawTree } from './tree.js'

/** How long the view has to stand still before its pages are looked up. */
const stillMilliseconds = 120

/** What the views ask for while they show a snapshot. */
export interface ViewsSource {
  /** The moments that the chart and the figures show, oldest first. */
  history(): readonly Moment[]
  /** Finds the pages of some ranges. One answer for each range. */
  findPages(wanted: readonly Wanted[], shown: Shown): Promise<Told[]>
}

interface Current {
  readonly shown: Shown
  readonly space: Space
  readonly sums: RegionSums
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
  readonly #chart = new Chart()
  readonly #table = new RegionTable((region) => this.#choose(region))
  readonly #holds = new HoldsTable()
  readonly #log = new LogTable()
  readonly #heat = new Heat()
  readonly #places = new Places()
  readonly #comparison = new Comparison()
  /** What the views show; null: nothing yet. */
  #current: Current | null = null
  /** The region whose pages the heat map shows. */
  #chosen: SnapshotRegion | null = null
  /** Whether the space is without ranges that are only Reserved. */
  #isMapped = false
  /** The number of snapshots so far. A newer one stops the work on an older one. */
  #turn = 0
  #pagesTimer: ReturnType<typeof setTimeout> | undefined

  constructor(source: ViewsSource) {
    this.#source = source
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
    for (const draw of this.#steps(this.#current)) {
      await draw()
      await pause()
      if (!isWanted()) return
    }
    const counts = `${shown.ranges.length / 4} ranges, ${shown.regions.length} regions`
    say('counts', `${shown.os}, pages of ${bytes(shown.pageSize)}, ${counts}, ${clock(shown.at)}`)
    document.body.dataset['at'] = String(shown.at)
  }

  #steps({ shown, space, sums, places }: Current): readonly (() => void | Promise<void>)[] {
    return [
      () => showAlerts(shown, this.#source.history()),
      () => this.#strip.show(shown, space),
      () => this.#lanes.show({ shown, space, view: this.#strip.view }),
      () => this.#figures.show(shown, this.#source.history()),
      () => showExplained(shown),
      () => this.#table.show(shown, sums),
      () => this.#places.show(shown, places),
      () => drawTree(shown, sums),
      () => this.#holds.show(shown),
      () => this.#log.show(shown),
      () => this.#chart.show(this.#source.history()),
      () => this.#comparison.show({ shown, sums }),
    ]
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

  /** Draws everything again, in the current colours and sizes. */
  redraw(): void {
    this.#chart.rebuild()
    this.#heat.draw()
    this.#strip.draw()
    this.#lanes.draw()
    if (this.#current === null) return
    const { shown, sums } = this.#current
    this.#figures.show(shown, this.#source.history())
    showExplained(shown)
    drawTree(shown, sums)
  }

  /** Keeps the snapshot in view. Later ones are compared with it, and growth counts from it. */
  keep(): void {
    if (this.#current === null) return
    this.#comparison.keep(this.#current)
    this.#places.begin(this.#current.shown.at)
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
    this.#places.forget()
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
