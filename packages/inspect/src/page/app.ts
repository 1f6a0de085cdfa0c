// The page: asks for a snapshot a second, and shows it; a snapshot that was saved is shown as well, and asks
// for nothing.
import { sumRegions, type RegionSums } from '../region-sums.js'
import { momentOf, type LogEntry, type Moment, type SnapshotRegion } from '../snapshot.js'
import { traceOf } from '../trace.js'
import { Chart } from './chart.js'
import { compare } from './compare.js'
import { byId, bytes, clock, say } from './dom.js'
import { showExplained } from './explained.js'
import { Figures } from './figures.js'
import { Heat } from './heat.js'
import { Lanes } from './lanes.js'
import { LogTable } from './log-table.js'
import { askPages, savedPages, type Told, type Wanted } from './pages.js'
import { RegionTable } from './region-table.js'
import { readShown, receiveShown, writeShown, type Shown } from './shown.js'
import { inSlices, pause } from './slices.js'
import { Space } from './space.js'
import { Strip } from './strip.js'
import { drawTree } from './tree.js'

/** Every so many snapshots one says where all resident memory is: that costs the process a hundred times as much. */
const EXPLAIN_EVERY = 120
/** Every so many one asks for the pages in view. */
const PAGES_EVERY = 2
const MOST_MOMENTS = 3600

type Mode = 'live' | 'paused' | 'file'

const figures = new Figures()
const strip = new Strip(() => moved())
const lanes = new Lanes({
  choose: (region) => choose(region),
  zoom: (factor, address) => strip.zoom(factor, strip.space?.placeOf(address) ?? 0),
  frame: (from, to) => strip.frame(strip.space?.placeOf(from) ?? 0, strip.space?.placeOf(to) ?? 0),
})
const chart = new Chart()
const table = new RegionTable((region) => choose(region))
const log = new LogTable()
const heat = new Heat()
let history: Moment[] = []
let kept: Shown | null = null
let current: { readonly shown: Shown; readonly space: Space; readonly sums: RegionSums } | null = null
let chosen: SnapshotRegion | null = null
let mode: Mode = 'live'
let isMapped = false
let count = 0
let turn = 0

/** Shows a snapshot, view by view, so that none keeps the browser waiting for all. */
async function show(shown: Shown): Promise<void> {
  const own = ++turn
  const isWanted = (): boolean => own === turn
  const space = await inSlices(Space.of(shown.ranges, isMapped), isWanted)
  const sums = space === null ? null : await inSlices(sumRegions(shown), isWanted)
  if (space === null || sums === null) return
  current = { shown, space, sums }
  const views: readonly (() => void | Promise<void>)[] = [
    () => strip.show(shown, space),
    () => lanes.show({ shown, space, view: strip.view }),
    () => figures.show(shown, history),
    () => showExplained(shown),
    () => table.show(shown, sums),
    () => drawTree(shown, sums),
    () => log.show(shown),
    () => chart.show(history),
    () => (kept === null ? undefined : compare(kept, shown)),
  ]
  for (const view of views) {
    await view()
    await pause()
    if (!isWanted()) return
  }
  say(
    'counts',
    `${shown.os}, pages of ${bytes(shown.pageSize)}, ${shown.ranges.length / 4} ranges, ${shown.regions.length} regions, ${clock(shown.at)}`,
  )
  document.body.dataset['at'] = String(shown.at)
}

/** Another part of the space is in view. */
function moved(): void {
  if (current === null) return
  lanes.show({ ...current, view: strip.view })
  pagesSoon()
}

let soon: ReturnType<typeof setTimeout> | undefined
/** Once for many turns of the wheel. */
function pagesSoon(): void {
  clearTimeout(soon)
  soon = setTimeout(() => void showPages(), 120)
}

/** Finds and draws the pages of what is in view. */
async function showPages(): Promise<void> {
  if (current === null) return
  const { shown, space } = current
  const inLanes = lanes.wanted
  if (inLanes.length > 0) lanes.tell(inLanes, await pagesOf(inLanes, shown))
  const region = chosen
  if (region === null) return
  const { from, to } = strip.view
  const [told] = await pagesOf([heat.wanted(region, space.addressAt(from), space.addressAt(to), shown.pageSize)], shown)
  if (told !== undefined && region === chosen) heat.show(region, told, shown.pageSize)
}

async function pagesOf(wanted: readonly Wanted[], shown: Shown): Promise<Told[]> {
  return mode === 'live' ? askPages(wanted) : savedPages(shown, wanted, mode === 'file')
}

function choose(region: SnapshotRegion): void {
  chosen = region
  table.mark(region.address)
  lanes.mark(region.address)
  void showPages().then(() => say('said', byId('heat-says').textContent ?? ''))
}

// The log, and how many operations it begins after: the process is asked for what came since.
let entries: readonly LogEntry[] = []
let entriesFrom = 0

/** A snapshot of now; a text: why there is none. */
async function ask(query: string): Promise<Shown | string> {
  const seen = entriesFrom + entries.length
  const response = await fetch(`/snapshot?seen=${seen}${query}`).catch(() => null)
  if (response?.status === 403) return 'This session is over: the address with its token is good for one browser.'
  if (response?.ok !== true) return 'The process does not answer.'
  const received = await receiveShown(await response.text())
  if (received === null) return 'The process answers with something else.'
  const { shown, logFrom, logMost } = received
  // Another question may have been answered meanwhile.
  const known = entries.slice(0, Math.max(0, logFrom - entriesFrom))
  const isNext = entriesFrom + known.length === logFrom
  const all = isNext ? [...known, ...shown.log] : shown.log
  entries = logMost > 0 ? all.slice(-logMost) : []
  entriesFrom = logFrom + shown.log.length - entries.length
  return { ...shown, log: entries }
}

async function tick(): Promise<void> {
  const before = performance.now()
  if (mode === 'live') {
    const told = await ask(count % EXPLAIN_EVERY === 0 ? '&explain' : '')
    // Somebody may have opened a file meanwhile.
    if (mode === 'live') {
      if (typeof told === 'string') say('about', told)
      else await take(told)
    }
  }
  setTimeout(() => void tick(), Math.max(100, 1000 - (performance.now() - before)))
}

async function take(shown: Shown): Promise<void> {
  say('about', 'live')
  history.push(momentOf(shown))
  if (history.length > MOST_MOMENTS) history.shift()
  const isTime = count % PAGES_EVERY === 0
  count += 1
  await show(shown)
  if (isTime) await showPages()
}

function enter(next: Mode, words: string): void {
  mode = next
  byId('pause').setAttribute('aria-pressed', String(next !== 'live'))
  say('pause', next === 'live' ? 'Pause' : 'Go on')
  say('about', words)
}

/** What stands still is whole: pages, and where all resident memory is. */
async function pauseOrGoOn(): Promise<void> {
  if (mode !== 'live') {
    // What was before belongs to a file, or has a hole where the page stood still.
    if (mode === 'file') history = []
    return enter('live', 'live')
  }
  const told = await ask('&explain&pages')
  enter('paused', `stands still at ${clock(Date.now())}`)
  if (typeof told === 'string') return
  await show(told)
  await showPages()
}

async function save(): Promise<void> {
  const told = mode === 'live' ? await ask('&explain&pages') : (current?.shown ?? 'There is nothing to save.')
  if (typeof told === 'string') return say('about', told)
  download('memlayer-snapshot.json', await writeShown({ ...told, history }))
}

function download(name: string, pieces: readonly string[]): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([...pieces], { type: 'application/json' }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}

async function open(file: File): Promise<void> {
  const shown = await readShown(await file.text())
  if (shown === null) return say('about', `${file.name} is no snapshot of memlayer.`)
  enter('file', `stands still: ${file.name}`)
  history = shown.history.length > 0 ? [...shown.history] : [momentOf(shown)]
  chosen = null
  await show(shown)
  await showPages()
}

/** Everything again, in the colours of now. */
function redraw(): void {
  chart.rebuild()
  heat.draw()
  strip.draw()
  lanes.draw()
  if (current === null) return
  figures.show(current.shown, history)
  showExplained(current.shown)
  drawTree(current.shown, current.sums)
}

byId('pause').addEventListener('click', () => void pauseOrGoOn())
byId('keep').addEventListener('click', () => {
  kept = current?.shown ?? null
  if (kept !== null) compare(kept, kept)
})
byId('mapped').addEventListener('click', () => {
  isMapped = !isMapped
  byId('mapped').setAttribute('aria-pressed', String(isMapped))
  // The whole of another space.
  strip.zoom(Infinity, 0)
  if (current !== null) void show(current.shown).then(showPages)
})
byId('save').addEventListener('click', () => void save())
byId('trace').addEventListener('click', () =>
  download('memlayer-trace.json', [JSON.stringify(traceOf(current?.shown.log ?? [], history))]),
)
byId('explain-now').addEventListener('click', () => {
  // The next snapshot asks.
  if (mode === 'live') count = 0
})
byId<HTMLInputElement>('open').addEventListener('change', (event) => {
  const input = event.target as HTMLInputElement
  const [file] = input.files ?? []
  if (file !== undefined) void open(file).catch(() => say('about', `${file.name} can't be read.`))
  // So that the same file can be opened again.
  input.value = ''
})
for (const id of ['chart-details', 'tree-details', 'explain-details']) byId(id).addEventListener('toggle', redraw)
window.addEventListener('resize', redraw)
window.addEventListener('scroll', pagesSoon, { passive: true })
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)
if (location.protocol === 'file:') {
  byId<HTMLButtonElement>('pause').disabled = true
  enter('file', 'Open a snapshot that was saved.')
} else void tick()
