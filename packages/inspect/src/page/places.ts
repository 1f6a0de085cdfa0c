// Where regions were reserved: a flame graph of bytes by stack, and a table of places with what each has grown by.
import { shortened } from '../frame.js'
import { byId, bytes, clock, head, make, say } from './dom.js'
import { fill, onClick } from './fill.js'
import { Filter } from './filter.js'
import { flameOf, type Flame, type Measure, type PlaceSum } from './place-sums.js'
import type { Shown } from './shown.js'
import { placeNodes } from './source-link.js'
import { VirtualTable } from './virtual-table.js'

const titles = ['Place', 'Regions', 'Ready', 'Growth', 'Resident', 'Leaked', 'Called from']
/** A frame that has less than this part of the width is not drawn: it could not be told apart. */
const widthMin = 0.004
/** Rows of frames. Deeper ones are in the table. */
const depthMax = 24

/** The places. */
export class Places {
  readonly #table = new VirtualTable('places', titles.length)
  readonly #filter = new Filter('places', () => this.#draw())
  readonly #measure = byId<HTMLSelectElement>('places-measure')
  #sums: readonly PlaceSum[] = []
  /** Ready bytes of each stack when growth began to count. */
  #before = new Map<string, number>()
  #beforeAt = NaN
  /** The frames from the outermost on that the flame graph shows the calls of. */
  #zoom: readonly string[] = []

  constructor() {
    this.#measure.addEventListener('change', () => this.#draw())
  }

  /** Shows the sums of a snapshot. */
  show(shown: Shown, sums: readonly PlaceSum[]): void {
    this.#sums = sums
    if (Number.isNaN(this.#beforeAt)) this.begin(shown.at)
    this.#draw()
  }

  /** Counts growth from now on. */
  begin(at: number): void {
    this.#before = new Map(this.#sums.map((sum) => [keyOf(sum), sum.ready]))
    this.#beforeAt = at
  }

  /** Counts growth from the next snapshot on. */
  forget(): void {
    this.#beforeAt = NaN
    this.#zoom = []
  }

  #growth(sum: PlaceSum): number {
    return sum.ready - (this.#before.get(keyOf(sum)) ?? 0)
  }

  #draw(): void {
    const shown = this.#sums
      .filter(({ frames }) => this.#filter.accepts(frames))
      .toSorted((a, b) => this.#growth(b) - this.#growth(a) || b.ready - a.ready)
    this.#table.show(head(titles, titles.slice(1, 6)), shown.length, (i) => this.#row(shown[i] as PlaceSum, i))
    const since = Number.isNaN(this.#beforeAt) ? '' : `, growth since ${clock(this.#beforeAt)}`
    say('places-say', `${this.#sums.length} ${this.#sums.length === 1 ? 'place' : 'places'}${since}`)
    this.#drawFlame(shown)
  }

  /** Draws it again. */
  redraw(): void {
    this.#draw()
  }

  #row(sum: PlaceSum, i: number): HTMLElement {
    const [place = '', ...callers] = sum.frames
    const number = (column: string, value: number, text = bytes(value)): HTMLElement =>
      make('td', { class: 'n', 'data-column': column, 'data-value': String(value) }, text)
    const growth = this.#growth(sum)
    return make(
      'tr',
      { 'data-place': place },
      make('td', { title: place, class: 'made' }, ...placeNodes(place, `place-${i}`)),
      number('count', sum.count, String(sum.count)),
      number('ready', sum.ready),
      number('growth', growth, growth === 0 ? '·' : `${growth > 0 ? '+' : ''}${bytes(growth)}`),
      number('resident', sum.resident),
      number('leaked', sum.leaked, sum.leaks === 0 ? '·' : `${bytes(sum.leaked)} in ${sum.leaks}`),
      make('td', { title: callers.join('\n') }, callers.map(shortened).join(' ← ')),
    )
  }

  #drawFlame(sums: readonly PlaceSum[]): void {
    let from = flameOf(sums, this.#measure.value as Measure)
    const path: string[] = []
    for (const frame of this.#zoom) {
      const next = from.calls.get(frame)
      if (next === undefined) break
      path.push(frame)
      from = next
    }
    fill(byId('flame'), ...(from.bytes === 0 ? [] : [this.#node(from, path, 1, 0)]))
    const words = path.length === 0 ? 'Click a frame to see its calls alone.' : 'Click the first row to see all again.'
    say('flame-says', from.bytes === 0 ? 'There is nothing of it.' : `${bytes(from.bytes)}. ${words}`)
  }

  #node({ frame, bytes: size, calls }: Flame, path: readonly string[], share: number, depth: number): HTMLElement {
    const name = depth === 0 && path.length === 0 ? 'all' : shortened(frame)
    const label = make('div', { class: 'frame', title: `${frame}\n${bytes(size)}` }, `${name} ${bytes(size)}`)
    // The first row leads back up.
    onClick(label, () => {
      this.#zoom = depth === 0 ? path.slice(0, -1) : path
      this.#draw()
    })
    const inside = Array.from(calls.values())
      .toSorted((a, b) => b.bytes - a.bytes)
      .filter((call) => depth < depthMax && (share * call.bytes) / size >= widthMin)
      .map((call) => {
        const node = this.#node(call, [...path, call.frame], (share * call.bytes) / size, depth + 1)
        node.style.width = `${(100 * call.bytes) / size}%`
        return node
      })
    return make('div', { class: `flame d${depth % 4}`, 'data-bytes': String(size) }, label, make('div', {}, ...inside))
  }
}

const keyOf = ({ frames }: PlaceSum): string => frames.join('\n')
