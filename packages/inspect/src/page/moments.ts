// The moments of the timeline: one of them can be chosen, and then the views of regions show it.
import type { Timeline } from '../timeline.js'
import { byId, clock, say } from './dom.js'

/** The choice of a moment. */
export class Moments {
  readonly #slider = byId<HTMLInputElement>('moments')
  readonly #now = byId<HTMLButtonElement>('moments-now')
  readonly #changed: () => void
  #times: readonly number[] = []
  #at: number | null = null
  /** The time of what is shown where no moment is chosen. */
  #newest = 0

  /** Calls `changed` when the user has chosen another moment. */
  constructor(changed: () => void) {
    this.#changed = changed
    this.#slider.addEventListener('input', () => {
      const i = Number(this.#slider.value)
      this.choose(i >= this.#times.length - 1 ? null : (this.#times[i] ?? null))
    })
    this.#now.addEventListener('click', () => this.choose(null))
  }

  /** The moment that is chosen; null: the newest one, which is another each second. */
  get at(): number | null {
    return this.#at
  }

  /** Chooses the last moment that is not later than `at`. */
  choose(at: number | null): void {
    this.#at = at === null ? null : (this.#times.findLast((time) => time <= at) ?? this.#times[0] ?? null)
    this.#draw()
    this.#changed()
  }

  /** Shows the moments that there are. */
  show(timeline: Timeline, newest: number): void {
    this.#times = timeline.times
    this.#newest = newest
    // Those that are older than all that is kept are gone.
    const [first = null] = this.#times
    if (this.#at !== null && first !== null && this.#at < first) this.choose(first)
    this.#draw()
  }

  /** Ends the choice: another process is shown. */
  forget(): void {
    this.#at = null
    this.#times = []
    this.#draw()
  }

  #draw(): void {
    const [at, last] = [this.#at, Math.max(0, this.#times.length - 1)]
    this.#slider.max = String(last)
    const place = at === null ? last : this.#times.findLastIndex((time) => time <= at)
    this.#slider.value = String(Math.max(0, place))
    this.#slider.disabled = last === 0
    this.#slider.setAttribute('aria-valuetext', at === null ? 'now' : clock(at))
    this.#now.disabled = at === null
    const [first] = this.#times
    const kept = first === undefined ? '' : ` The regions of ${last + 1} moments are kept, from ${clock(first)} on.`
    const ago = at === null ? 0 : Math.round((this.#newest - at) / 1000)
    const shown =
      at === null
        ? 'Regions, places, the treemap and the comparison show the newest moment.'
        : `Regions, places, the treemap and the comparison show ${clock(at)}, ${ago} seconds before.`
    say('moments-say', `${shown}${kept}`)
    document.body.dataset['moment'] = at === null ? '' : String(at)
    for (const id of ['h-regions', 'h-places', 'h-tree']) {
      const title = byId(id)
      if (at === null) title.removeAttribute('data-moment')
      else title.setAttribute('data-moment', `, at ${clock(at)}`)
    }
  }
}
