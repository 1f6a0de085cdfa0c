// The page: asks for a snapshot a second, and shows it; a snapshot that was saved is shown as well, and asks
// for nothing.
import type { Snapshot, SnapshotRegion } from '../snapshot.js'
import { traceOf } from '../trace.js'
import { byId, figure } from './dom.js'
import { Strip } from './strip.js'
import { compare, drawLog, RegionTable } from './tables.js'
import { Chart, drawHeat, drawTree, type Pages } from './views.js'

/** Every tenth snapshot says where all resident memory is: that takes the process longer than the rest. */
const EXPLAIN_EVERY = 10

const strip = new Strip()
const chart = new Chart()
const table = new RegionTable((region) => void choose(region))
const history: Snapshot[] = []
let kept: Snapshot | null = null
let current: Snapshot | null = null
let chosen: SnapshotRegion | null = null
let isLive = true
let count = 0

function show(snapshot: Snapshot): void {
  current = snapshot
  const { stats, process, os, ranges, regions } = snapshot
  byId('about').textContent = `${os}, ${ranges.length / 4} ranges, ${regions.length} regions, ${isLive ? 'live' : 'stands still'} at ${new Date(snapshot.at).toLocaleTimeString()}`
  const { reserved, prepared, ready, held, peak, calls, refusals } = stats.total
  const mappings = snapshot.mappings
  byId('figures').replaceChildren(
    ...[
      figure('Reserved', reserved),
      figure('Prepared', prepared),
      figure('Ready', ready),
      figure('Held', held),
      figure('Peak', peak),
      figure('Resident', process.resident),
      figure('JS heap', process.heapUsed),
      figure('External', process.external),
      figure('Operations', calls, String(calls)),
      figure('Refused', refusals, String(refusals)),
    ],
  )
  if (mappings !== null) byId('figures').append(figure('Mappings', mappings.used, `${mappings.used} of ${mappings.limit}`))
  if (snapshot.explanation !== null) explain(snapshot)
  strip.show(snapshot)
  table.show(snapshot)
  drawTree(snapshot)
  drawLog(snapshot)
  if (kept !== null) compare(kept, snapshot)
  document.body.dataset['at'] = String(snapshot.at)
}

function explain({ explanation }: Snapshot): void {
  if (explanation === null) return
  const { resident, jsHeap, arrayBuffers, layer, malloc, mallocSlack, files, stacks, unexplained } = explanation
  const parts: readonly (readonly [name: string, n: number])[] = [
    ['JavaScript heaps', jsHeap],
    ['ArrayBuffers', arrayBuffers],
    ['This memory', layer],
    ['C library', malloc],
    ['C library, free', mallocSlack],
    ['Files', files],
    ['Stacks', stacks],
    ['Unexplained', unexplained],
    ['All resident', resident],
  ]
  byId('explain').replaceChildren(...parts.map(([name, n]) => figure(name, n)))
}

async function choose(region: SnapshotRegion): Promise<void> {
  chosen = region
  const pageSize = current?.pageSize ?? 4096
  const nothing: Pages = { known: false, resident: null, huge: null, swapped: null, runs: [] }
  const pages = isLive ? await get<Pages>(`/residency?address=${region.address}&size=${region.size}`) : nothing
  drawHeat(region, pageSize, pages ?? nothing)
}

async function get<T>(path: string): Promise<T | null> {
  const response = await fetch(path).catch(() => null)
  return response?.ok === true ? ((await response.json()) as T) : null
}

async function tick(): Promise<void> {
  if (isLive) {
    const snapshot = await get<Snapshot>(count % EXPLAIN_EVERY === 0 ? '/snapshot?explain' : '/snapshot')
    if (snapshot === null) byId('about').textContent = 'The process does not answer.'
    // Somebody may have opened a file meanwhile.
    else if (isLive) take(snapshot)
  }
  setTimeout(() => void tick(), 1000)
}

function take(snapshot: Snapshot): void {
  count += 1
  // The log is in the newest; a thousand copies of it would be most of the page's memory.
  history.push({ ...snapshot, log: [], ranges: [], regions: [] })
  if (history.length > 3600) history.shift()
  show(snapshot)
  chart.add(snapshot)
  if (chosen !== null && count % 2 === 0) void choose(chosen)
}

function save(name: string, value: unknown): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([JSON.stringify(value)], { type: 'application/json' }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}

function live(on: boolean): void {
  isLive = on
  byId('pause').setAttribute('aria-pressed', String(!on))
  byId('pause').textContent = on ? 'Pause' : 'Go on'
}

async function open(file: File): Promise<void> {
  const told = JSON.parse(await file.text()) as Partial<Snapshot>
  if (told.format !== 'memlayer-snapshot' || told.version !== 1) {
    byId('about').textContent = `${file.name} is no snapshot of memlayer.`
    return
  }
  live(false)
  show(told as Snapshot)
}

byId('pause').addEventListener('click', () => live(!isLive))
byId('keep').addEventListener('click', () => {
  kept = current
  if (current !== null) compare(current, current)
})
byId('save').addEventListener('click', () => void get<Snapshot>('/snapshot?explain').then((snapshot) => save('memlayer-snapshot.json', isLive ? (snapshot ?? current) : current)))
byId('trace').addEventListener('click', () => save('memlayer-trace.json', traceOf(current?.log ?? [], history)))
byId<HTMLInputElement>('open').addEventListener('change', (event) => {
  const [file] = (event.target as HTMLInputElement).files ?? []
  if (file !== undefined) void open(file).catch(() => (byId('about').textContent = `${file.name} can't be read.`))
})
if (location.protocol === 'file:') live(false)
void tick()
