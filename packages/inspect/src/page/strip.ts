// The address space as a strip: ranges one after the other, gaps left out. Zoomed by wheel and keys, down
// to single pages. A pixel is found by bisection and shows what most of it is, so 100,000 ranges are as quick as ten.
import { states, type Snapshot } from '../snapshot.js'
import { byId, bytes, colour, fit, hex } from './dom.js'

/** The strip. */
export class Strip {
  readonly #canvas = byId<HTMLCanvasElement>('strip')
  readonly #says = byId('at')
  #snapshot: Snapshot | null = null
  // Where each range begins on the strip; one more: where the last ends.
  #starts = new Float64Array(1)
  #from = 0
  #to = 0
  #cursor = 0
  #isWhole = true

  constructor() {
    const canvas = this.#canvas
    canvas.addEventListener('wheel', (event) => {
      event.preventDefault()
      this.#zoom(event.deltaY > 0 ? 1.25 : 0.8, this.#at(event.offsetX))
    }, { passive: false })
    canvas.addEventListener('pointermove', (event) => {
      if (event.buttons === 1) this.#pan((-event.movementX / canvas.clientWidth) * (this.#to - this.#from))
      this.#point(this.#at(event.offsetX))
    })
    canvas.addEventListener('keydown', (event) => this.#key(event))
    window.addEventListener('resize', () => this.#draw())
  }

  /** Shows a snapshot where the strip stands. */
  show(snapshot: Snapshot): void {
    const { ranges } = snapshot
    const starts = new Float64Array(ranges.length / 4 + 1)
    for (let i = 0; i < starts.length - 1; i++) starts[i + 1] = (starts[i] as number) + (ranges[4 * i + 1] as number)
    this.#snapshot = snapshot
    this.#starts = starts
    if (this.#isWhole) [this.#from, this.#to] = [0, this.#end]
    this.#to = Math.min(this.#to, this.#end)
    this.#draw()
  }

  get #end(): number {
    return this.#starts.at(-1) ?? 0
  }

  #at(x: number): number {
    return this.#from + (x / this.#canvas.clientWidth) * (this.#to - this.#from)
  }

  /** The range at a place of the strip. */
  #find(at: number): number {
    let [low, high] = [0, this.#starts.length - 1]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((this.#starts[middle] as number) <= at) low = middle
      else high = middle
    }
    return low
  }

  #key(event: KeyboardEvent): void {
    const width = this.#to - this.#from
    const page = this.#snapshot?.pageSize ?? 4096
    const step = Math.max(page, width / 20)
    const moves: Readonly<Record<string, () => void>> = {
      '+': () => this.#zoom(0.5, this.#cursor),
      '=': () => this.#zoom(0.5, this.#cursor),
      '-': () => this.#zoom(2, this.#cursor),
      ArrowLeft: () => this.#point(Math.max(0, this.#cursor - step)),
      ArrowRight: () => this.#point(Math.min(this.#end - 1, this.#cursor + step)),
      Home: () => this.#zoom(Infinity, 0),
    }
    const move = moves[event.key]
    if (move === undefined) return
    event.preventDefault()
    move()
    if (this.#cursor < this.#from || this.#cursor > this.#to) this.#pan(this.#cursor - (this.#from + this.#to) / 2)
  }

  #zoom(factor: number, around: number): void {
    const least = 16 * (this.#snapshot?.pageSize ?? 4096)
    const width = Math.min(this.#end, Math.max(least, (this.#to - this.#from) * factor))
    const share = this.#to > this.#from ? (around - this.#from) / (this.#to - this.#from) : 0.5
    this.#from = Math.max(0, Math.min(this.#end - width, around - share * width))
    this.#to = this.#from + width
    this.#isWhole = width === this.#end
    this.#draw()
    this.#point(around)
  }

  #pan(by: number): void {
    const width = this.#to - this.#from
    this.#from = Math.max(0, Math.min(this.#end - width, this.#from + by))
    this.#to = this.#from + width
    this.#draw()
  }

  #point(at: number): void {
    this.#cursor = at
    const snapshot = this.#snapshot
    if (snapshot === null || snapshot.ranges.length === 0) return
    const i = this.#find(at)
    const [address = 0, size = 0, state = 0, category = 0] = snapshot.ranges.slice(4 * i, 4 * i + 4)
    const { pageSize } = snapshot
    const page = Math.floor((at - (this.#starts[i] as number)) / pageSize)
    const name = snapshot.categories[category] ?? ''
    const span = bytes(this.#to - this.#from)
    this.#says.textContent = `${hex(address + page * pageSize)}: page ${page + 1} of ${size / pageSize}, ${states[state]}, ${name === '' ? 'no category' : name}, range of ${bytes(size)}; ${span} in view`
    this.#says.dataset['page'] = String(address + page * pageSize)
    this.#says.dataset['view'] = String(this.#to - this.#from)
  }

  #draw(): void {
    const { context, width, height } = fit(this.#canvas)
    const snapshot = this.#snapshot
    if (snapshot === null) return
    const colours = ['', colour('--s1'), colour('--s2'), colour('--s3')]
    const pages = (this.#to - this.#from) / snapshot.pageSize
    for (let x = 0; x < width; x++) {
      // The middle of the pixel stands for it, and a Ready byte at either edge is not lost.
      const seen = [this.#at(x), this.#at(x + 0.5), this.#at(x + 0.99)].map((at) => snapshot.ranges[4 * this.#find(at) + 2] ?? 0)
      context.fillStyle = colours[Math.max(...seen)] ?? ''
      context.fillRect(x, 0, 1, height)
    }
    if (pages > width / 6) return
    // Single pages, once they are wide enough to tell apart.
    context.fillStyle = colour('--paper')
    for (let at = Math.ceil(this.#from / snapshot.pageSize) * snapshot.pageSize; at < this.#to; at += snapshot.pageSize) {
      context.fillRect(((at - this.#from) / (this.#to - this.#from)) * width, 0, 1, height)
    }
  }
}
