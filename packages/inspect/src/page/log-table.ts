// The table of operations, the newest first, with the kernel's answer to each.
import { shownName, visible } from '../names.js'
import type { LogEntry } from '../snapshot.js'
import { bytes, clock, head, hex, make, say } from './dom.js'
import { Filter } from './filter.js'
import type { Shown } from './shown.js'
import { VirtualTable } from './virtual-table.js'

const titles = ['Time', 'Operation', 'Address', 'Size', 'Region', 'Category', 'Answer']

/** The table of operations. */
export class LogTable {
  readonly #table = new VirtualTable('log', titles.length)
  readonly #numbers = new WeakMap<LogEntry, number>()
  #next = 0
  readonly #filter = new Filter('log', () => this.#shown !== null && this.show(this.#shown))
  #shown: Shown | null = null

  /** The number of an entry. The entries of a live log stay the same objects. */
  #numberOf(entry: LogEntry): number {
    let number = this.#numbers.get(entry)
    if (number === undefined) this.#numbers.set(entry, (number = this.#next++))
    return number
  }

  /** Shows a snapshot's log. */
  show(shown: Shown): void {
    this.#shown = shown
    const { log: all, stats } = shown
    const log = this.#filter.isEmpty ? all : all.filter((entry) => this.#filter.accepts(textsOf(entry)))
    const entryAt = (i: number): LogEntry => log[log.length - 1 - i] as LogEntry
    this.#table.show(
      head(titles, ['Address', 'Size']),
      log.length,
      (i) => rowOf(entryAt(i)),
      (i) => this.#numberOf(entryAt(i)),
    )
    const failed = all.reduce((sum, { outcome }) => sum + Number(outcome !== 'done'), 0)
    const { calls } = stats.total
    const before = all.length < calls ? `, of ${calls} since the memory was made` : ''
    say('log-says', `The last ${all.length} since the inspector began${before}. Refused or failed: ${failed}.`)
  }
}

/** What the search looks at. */
function textsOf({ op, address, region, category, outcome, answer }: LogEntry): string[] {
  return [op, address === null ? '' : hex(address), region ?? '', category ?? '', outcome, answer]
}

/** A cell with the name of a region or of a category; empty: there is none. */
function named(name: string | null): HTMLElement {
  return name === null ? make('td', {}) : make('td', { title: visible(name) }, make('bdi', {}, shownName(name)))
}

function rowOf({ at, op, address, size, region, category, outcome, answer }: LogEntry): HTMLElement {
  const cell = (text: string, type = ''): HTMLElement => make('td', { class: type, title: text }, text)
  const where = address === null ? '' : hex(address)
  return make(
    'tr',
    outcome === 'done' ? {} : { class: 'bad' },
    cell(clock(at)),
    cell(op),
    cell(where, 'n'),
    cell(bytes(size), 'n'),
    named(region),
    named(category),
    cell(answer),
  )
}
