// The page. It asks the process for a snapshot every second and shows it. While it shows a saved snapshot, it
// asks for nothing. build-page.mjs starts the bundle here.
import { momentOf, type Moment } from '../snapshot.js'
import { Timeline } from '../timeline.js'
import { traceOf } from '../trace.js'
import { byId, clock, say } from './dom.js'
import { LiveProcess } from './live-process.js'
import { askPages, savedPages, type Told, type Wanted } from './pages.js'
import { readShown, writeShown, type Shown } from './shown.js'
import { pause } from './slices.js'
import { Views } from './views.js'

/** One snapshot in this many tells where all resident memory is. It costs the process a hundred times as much. */
const explainEvery = 120
/** One snapshot in this many asks for the pages in view. */
const pagesEvery = 2
const momentsMax = 3600
/** From one snapshot to the next, and how many times longer than one takes the process it is at least. */
const [secondMilliseconds, pauseRatio] = [1000, 125]

type Mode = 'live' | 'paused' | 'file'

/** Takes snapshots from the process or from a file, and keeps their history. */
class App {
  readonly #process = new LiveProcess()
  readonly #timeline = new Timeline()
  readonly #views = new Views({
    timeline: this.#timeline,
    history: () => this.#history,
    findPages: (wanted, shown) => this.#findPages(wanted, shown),
  })
  #mode: Mode = 'live'
  #history: Moment[] = []
  /** Live snapshots so far. At 0 the next one tells where all resident memory is. */
  #count = 0

  /** Connects the buttons, and begins. */
  start(): void {
    this.#connectButtons()
    const views = this.#views
    const redraw = (): void => void views.redraw()
    for (const part of ['chart', 'tree', 'explain'] as const)
      byId(`${part}-details`).addEventListener('toggle', () => views.drawPart(part))
    window.addEventListener('resize', redraw)
    window.addEventListener('scroll', () => views.showPagesSoon(), { passive: true })
    for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)'])
      matchMedia(query).addEventListener('change', redraw)
    if (location.protocol === 'file:') {
      byId<HTMLButtonElement>('pause').disabled = true
      this.#enter('file', 'Open a saved snapshot.')
    } else void this.#tick()
  }

  #connectButtons(): void {
    const views = this.#views
    byId('pause').addEventListener('click', () => void this.#pauseOrResume())
    for (const id of ['keep', 'moments-from']) byId(id).addEventListener('click', () => void views.keep())
    byId('mapped').addEventListener('click', () => views.toggleMapped())
    byId('save').addEventListener('click', () => void this.#save())
    byId('trace').addEventListener('click', () =>
      download('memlayer-trace.json', [
        JSON.stringify(traceOf(views.shown?.log ?? [], this.#history, this.#timeline.data())),
      ]),
    )
    byId('explain-now').addEventListener('click', () => {
      // The next snapshot asks.
      if (this.#mode === 'live') this.#count = 0
    })
    byId<HTMLInputElement>('open').addEventListener('change', (event) => {
      const input = event.target as HTMLInputElement
      const [file] = input.files ?? []
      if (file !== undefined) void this.#open(file).catch(() => say('about', `${file.name} can't be read.`))
      // So that the same file can be opened again.
      input.value = ''
    })
  }

  async #tick(): Promise<void> {
    const before = performance.now()
    if (this.#mode === 'live') {
      const told = await this.#process.ask(this.#count % explainEvery === 0 ? '&explain' : '', this.#since)
      // A file may have been opened meanwhile.
      if (this.#mode === 'live') {
        if (typeof told === 'string') this.#tellLost(told)
        else await this.#take(told)
      }
    }
    const wait = Math.max(secondMilliseconds, pauseRatio * this.#process.took)
    setTimeout(() => void this.#tick(), Math.max(100, wait - (performance.now() - before)))
  }

  async #take(shown: Shown): Promise<void> {
    this.#about(this.#paceWords)
    this.#remember(shown)
    const hasPages = this.#count % pagesEvery === 0
    this.#count += 1
    await this.#catchUp()
    // A file may have been opened meanwhile.
    if (this.#mode !== 'live') return
    await this.#views.show(shown)
    if (hasPages) await this.#views.showPages()
  }

  /** The time of the last moment that the page has. */
  get #since(): number {
    return this.#history.at(-1)?.at ?? 0
  }

  /** Says so where snapshots come less often than each second, because one takes the process long. */
  get #paceWords(): string {
    const seconds = Math.round((pauseRatio * this.#process.took) / 1000)
    return seconds > 1 ? `live, a snapshot in ${seconds} seconds` : 'live'
  }

  /** Takes in the regions of the moments that the page does not have, a part at a time. */
  async #catchUp(): Promise<void> {
    for (let more = true; more && this.#mode === 'live'; await pause()) {
      const part = await this.#process.timeline(this.#timeline.last)
      // A file may have been opened meanwhile.
      if (part === null || this.#mode !== 'live') return
      this.#timeline.take(part)
      more = part.more
    }
  }

  /** Adds a snapshot's moment, and those before it that the page has missed. */
  #remember(shown: Shown): void {
    const since = this.#since
    this.#history.push(...shown.history.filter(({ at }) => at > since && at < shown.at), momentOf(shown))
    this.#history.splice(0, Math.max(0, this.#history.length - momentsMax))
  }

  /** Says why there are no snapshots any more. Everything on the page stays, and can be saved. */
  #tellLost(reason: string): void {
    const last = this.#views.shown
    this.#about(last === null ? reason : `${reason} What you see is of ${clock(last.at)}.`, true)
  }

  #about(words: string, isBad = false): void {
    say('about', words)
    byId('about').classList.toggle('bad', isBad)
  }

  async #findPages(wanted: readonly Wanted[], shown: Shown): Promise<Told[]> {
    return this.#mode === 'live' ? askPages(wanted) : savedPages(shown, wanted, this.#mode === 'file')
  }

  #enter(next: Mode, words: string): void {
    this.#mode = next
    byId('pause').setAttribute('aria-pressed', String(next !== 'live'))
    say('pause', next === 'live' ? 'Pause' : 'Resume')
    this.#about(words)
  }

  /** A paused page has all pages, and tells where all resident memory is. */
  async #pauseOrResume(): Promise<void> {
    if (this.#mode !== 'live') {
      // The history of a file ends with the file.
      if (this.#mode === 'file') {
        this.#history = []
        this.#timeline.clear()
        this.#views.forgetChoice()
      }
      return this.#enter('live', 'live')
    }
    const told = await this.#process.ask('&explain&pages', this.#since)
    this.#enter('paused', `paused at ${clock(Date.now())}`)
    if (typeof told === 'string') return
    await this.#views.show(told)
    await this.#views.showPages()
  }

  async #save(): Promise<void> {
    const now = this.#mode === 'live' ? await this.#process.ask('&explain&pages', this.#since) : this.#views.shown
    // A process that has died does not answer. The page still has what it said last.
    const told = typeof now === 'string' ? this.#views.shown : now
    if (typeof now === 'string') this.#tellLost(now)
    if (told === null) return say('said', 'There is nothing to save.')
    download(
      'memlayer-snapshot.json',
      await writeShown({ ...told, history: this.#history, timeline: this.#timeline.data() }),
    )
  }

  async #open(file: File): Promise<void> {
    const shown = await readShown(await file.text())
    if (typeof shown === 'string') return say('about', `${file.name} is ${shown}.`)
    this.#enter('file', `showing ${file.name}`)
    this.#history = shown.history.length > 0 ? [...shown.history] : [momentOf(shown)]
    this.#timeline.clear()
    if (shown.timeline !== undefined) this.#timeline.take(shown.timeline)
    this.#views.forgetChoice()
    await this.#views.show(shown)
    await this.#views.showPages()
  }
}

/** Saves a file on the person's disk. */
function download(name: string, pieces: readonly string[]): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([...pieces], { type: 'application/json' }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}

new App().start()
