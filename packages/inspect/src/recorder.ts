// The recorder: the history of a memory from the start on, so that a late look or a reload loses nothing. It is bounded
// in size and in what it costs. It can be written to a file that the page opens.
import { renameSync, writeFileSync } from 'node:fs'
import { checkOptions, type Memory } from '@memlayer/core'
import { Log } from './log.js'
import { momentOf, type Moment, type Snapshot } from './snapshot.js'
import { Snapshots } from './take-snapshot.js'
import { Timeline } from './timeline.js'
import { Warnings } from './warnings.js'

/** Moments that are kept: an hour of seconds. */
const momentsMax = 3600
/** Milliseconds from one moment to the next, and how many times longer than the last one took it waits at least. */
const [everyMilliseconds, pauseRatio] = [1000, 200]

/** Keeps the moments of one memory. */
export class Recorder {
  /** What the regions had at each moment. */
  readonly timeline: Timeline = new Timeline()
  readonly #snapshots: Snapshots
  readonly #most: number
  readonly #every: number
  readonly #moments: Moment[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #isOver = false

  constructor(snapshots: Snapshots, most: number = momentsMax, every: number = everyMilliseconds) {
    this.#snapshots = snapshots
    this.#most = most
    this.#every = every
    this.#wait(every)
  }

  /** The moments after the time `since`, the oldest first. */
  since(since: number): readonly Moment[] {
    const last = this.#moments.at(-1)
    if (last === undefined || last.at <= since) return []
    return this.#moments.filter(({ at }) => at > since)
  }

  /** Adds a moment that another code has taken anyway, with what its regions had. */
  add(moment: Moment): void {
    this.#snapshots.tell(this.timeline, moment.at)
    this.#moments.push(moment)
    if (this.#moments.length > this.#most) this.#moments.shift()
  }

  /** A snapshot with what was before. */
  into(snapshot: Snapshot): Snapshot {
    return { ...snapshot, history: this.#moments, timeline: this.timeline.data() }
  }

  /** Takes no more moments. Those that were taken stay. */
  end(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }

  #wait(milliseconds: number): void {
    if (!this.#isOver) this.#timer = setTimeout(() => this.#tick(), milliseconds).unref()
  }

  #tick(): void {
    const [start, now] = [performance.now(), Date.now()]
    const age = now - (this.#moments.at(-1)?.at ?? 0)
    // While a page asks each second, its moments are enough.
    if (age < 0.9 * this.#every) return this.#wait(this.#every - age)
    this.add(momentOf(this.#snapshots.figures()))
    this.#wait(Math.max(this.#every, pauseRatio * (performance.now() - start)))
  }
}

/** Options of `record`. */
export interface RecordOptions {
  /** The file that it is written to. `%p` is the number of the process. Default: none, `write(file)` alone writes. */
  readonly file?: string
  /** A signal that writes the file. */
  readonly signal?: NodeJS.Signals
  /** Operations that are kept. Default: 10,000. */
  readonly log?: number
  /** Moments that are kept. Default: 3,600. */
  readonly moments?: number
  /** Milliseconds from one moment to the next. Default: 1,000; more where a moment takes long. */
  readonly every?: number
  /** Whether alerts are process warnings too, MEMLAYER_ALERT_…, each said once. Default: true. */
  readonly warnings?: boolean
}

/** A recording that goes on. */
export interface Recording extends Disposable {
  /** Writes what it has, with a snapshot of now, as JSON that the page opens. Returns the name of the file. */
  write(file?: string): string
  /** Ends it. Nothing is written. */
  close(): void
}

/** Milliseconds from one file after a refusal to the next. */
const refusalMilliseconds = 10_000
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Records a memory from now on. With a file it is written when the process ends, also by SIGINT, SIGTERM or SIGHUP,
 * when an operation was refused, and on `signal`. It keeps no process alive.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION, when an option is not known.
 */
export function record(memory: Memory, options: RecordOptions = {}): Recording {
  const known = ['file', 'signal', 'log', 'moments', 'every', 'warnings'] as const
  const read = checkOptions('record', options, known)
  const { file, signal, log: kept = 10_000, moments, every, warnings = true } = read
  const snapshots = new Snapshots(memory)
  const log = new Log(memory, kept)
  const recorder = new Recorder(snapshots, moments, every)
  const warner = warnings ? new Warnings({ memory, snapshots, log, history: () => recorder.since(-Infinity) }) : null
  const write = (wanted: string | undefined = file): string => {
    if (wanted === undefined) throw new Error('record: no file was given: pass one to write()')
    const name = wanted.replaceAll('%p', String(process.pid))
    const snapshot = snapshots.take({ explain: true, alone: true, log: log.entries() })
    // A reader never sees half of it.
    const unfinished = `${name}.${process.pid}.part`
    writeFileSync(unfinished, JSON.stringify(recorder.into(snapshot)))
    renameSync(unfinished, name)
    return name
  }
  const stop = file === undefined ? undefined : writeByItself(memory, signal, () => write())
  const close = (): void => {
    stop?.()
    warner?.end()
    recorder.end()
    log.end()
  }
  return { write, close, [Symbol.dispose]: close }
}

/** Writes at the end of the process, after a refusal, and on a signal. Returns what ends that. */
function writeByItself(memory: Memory, signal: NodeJS.Signals | undefined, write: () => void): () => void {
  const tryWrite = (): void => {
    try {
      write()
    } catch (error) {
      const message = `The recording can't be written: ${String(error)}`
      process.emitWarning(message, { type: 'MemlayerWarning', code: 'MEMLAYER_RECORD' })
    }
  }
  let writtenAt = -Infinity
  const unobserve = memory.observe(({ outcome }) => {
    if (outcome === 'done' || performance.now() < writtenAt + refusalMilliseconds) return
    writtenAt = performance.now()
    // Not inside the operation, which is not over yet.
    setImmediate(tryWrite)
  })
  const onEnding = (ending: NodeJS.Signals): void => {
    tryWrite()
    stop()
    // If the program listens too, it decides what the signal does. If not, the signal ends it, as it would have.
    if (process.listenerCount(ending) === 0) process.kill(process.pid, ending)
  }
  const stop = (): void => {
    unobserve()
    process.off('exit', tryWrite)
    if (signal !== undefined) process.off(signal, tryWrite)
    for (const ending of endings) process.off(ending, onEnding)
  }
  process.on('exit', tryWrite)
  if (signal !== undefined) process.on(signal, tryWrite)
  for (const ending of endings) if (ending !== signal) process.on(ending, onEnding)
  return stop
}
