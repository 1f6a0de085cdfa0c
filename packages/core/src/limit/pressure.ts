// Pressure: memory is short, or about to be. A memory that has a listener or a reclaimer looks for it once a second,
// by a timer that keeps no process alive.
//
// What counts. The time in which threads waited for memory: a tenth of it is a warning, and a tenth in which all of
// them waited is critical. That the control group met its limit since the last look is a warning. That the host calls
// its memory low is critical. A limit of the host is a warning at nine tenths, and critical at 95 hundredths. A limit
// of the program's own, `memory.limit`, is a warning at 95 hundredths: it ends no process.
//
// What happens. Idle pages go first, then the reclaimers are asked, each once. After a warning they are asked for a
// 64th of what the memory has, after what is critical for an eighth, or for what leads below nine tenths of the limit.
// Then listeners hear of it, when the level changes and every ten seconds while it lasts. Three quiet looks end it.
//
// No death spiral. A look that took long is followed by a rest of twenty times as long, so all of it takes a twentieth
// of the thread's time at most.
import type { HostPressure, HostServices } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import { show, thrownText } from '../text.js'
import { run, warn } from '../warning.js'
import { nearestLimit, type LimitUse } from './host-limit.js'
import type { Given, Reclaimers } from './reclaimers.js'

/** How short memory is. `'normal'` ends what was before it. */
export type PressureLevel = 'normal' | 'warning' | 'critical'

/** What a pressure listener is called with. */
export interface PressureEvent {
  /** How short memory is now. */
  readonly level: PressureLevel
  /** What tells it: a limit by its name, or the host's own word for it. */
  readonly source: string
  /** Bytes of the limit that is nearest. NaN: the host tells none. */
  readonly limit: number
  /** Bytes that are used of that limit. NaN: the host does not tell. */
  readonly used: number
  /** What the scavenger and the reclaimers gave back before listeners heard of it. */
  readonly given: readonly Given[]
}

/** Called when memory gets short, and when it is not any more. What it throws does not reach the caller. */
export type PressureListener = (event: PressureEvent) => void

/** What the watch needs of its memory. */
export interface Pressed {
  readonly host: HostServices | undefined
  readonly reclaimers: Reclaimers
  /** The limit of the program's own, and what is used of it. Null: there is none. */
  limit(): LimitUse | null
  /** Bytes that this memory has Ready or idle. */
  own(): number
  /** Gives back what is idle, so many bytes of it. Returns the bytes. */
  scavenge(bytes: number): number
  /** Decommits what stays committed for late accesses only. */
  decommit(): void
  now(): number
  /** Calls `run` once, later. It keeps no process alive. */
  after(milliseconds: number, run: () => void): void
}

const lookMilliseconds = 1000
/** Milliseconds that the reclaimers of a look take at most. After so many, no other one is asked. */
const answerMilliseconds = 50
/** A look is followed by a rest of so many times its own time. */
const rest = 20
/** While the level stays, listeners hear of it again after so many milliseconds. */
const repeatMilliseconds = 10_000
/** So many looks in a row find nothing before the level is normal. */
const quietLooks = 3

const stalledPart = 0.1
const warningPart = 0.9
const criticalPart = 0.95
/** The part of what a memory has that is asked for. */
const wantedPart = { normal: 0, warning: 1 / 64, critical: 1 / 8 } as const

/** What one thing says of the memory. */
interface Sign {
  readonly level: PressureLevel
  readonly source: string
}

const ranks: readonly PressureLevel[] = ['normal', 'warning', 'critical']
const worse = (a: Sign, b: Sign): Sign => (ranks.indexOf(b.level) > ranks.indexOf(a.level) ? b : a)

/** The watch of one memory. */
export class Pressure {
  readonly #memory: Pressed
  #listeners: readonly PressureListener[] = []
  #isWaiting = false
  #hasWarned = false
  #last: HostPressure | null = null
  #lastAt = NaN
  #told: PressureLevel = 'normal'
  #toldAt = -Infinity
  #quiet = 0

  constructor(memory: Pressed) {
    this.#memory = memory
  }

  /** Adds a listener. The function returned takes it away. */
  listen(listener: PressureListener): () => void {
    if (typeof listener !== 'function') {
      const hint = 'Pass a function.'
      throw new UsageError('ERR_MEMLAYER_OPTION', `onPressure: the listener is ${show(listener)}`, {
        op: 'onPressure',
        hint,
      })
    }
    // An object of its own, so that one function may listen twice.
    const entry: PressureListener = (event) => listener(event)
    this.#listeners = [...this.#listeners, entry]
    this.wake()
    return () => {
      this.#listeners = this.#listeners.filter((one) => one !== entry)
    }
  }

  /** There is a listener or a reclaimer. */
  wake(): void {
    if (this.#isWaiting) return
    this.#read(this.#memory.now())
    this.#sleep(lookMilliseconds)
  }

  #sleep(milliseconds: number): void {
    this.#isWaiting = true
    // Reclaimers alone keep no memory that the program has dropped.
    const weak = new WeakRef<Pressure>(this)
    const strong = this.#listeners.length > 0 ? this : undefined
    this.#memory.after(milliseconds, () => (strong ?? weak.deref())?.look())
  }

  /** Looks, answers, and sleeps again while there is anything to wake for. */
  look(): void {
    this.#isWaiting = false
    if (this.#listeners.length === 0 && !this.#memory.reclaimers.hasAny) return
    const begun = this.#memory.now()
    const nearest = this.#nearest()
    const sign = [this.#signOfHost(begun), signOfLimit(nearest)].reduce(worse)
    const given = sign.level === 'normal' ? [] : this.#answer(sign.level, nearest, begun)
    this.#tell(sign, nearest, given, begun)
    this.#sleep(Math.max(lookMilliseconds, rest * (this.#memory.now() - begun)))
  }

  /** The limit of which the greatest part is used. */
  #nearest(): LimitUse | null {
    const host = nearestLimit(this.#memory.host)
    const own = this.#memory.limit()
    if (own === null || host === null) return own ?? host
    return own.used / own.bytes > host.used / host.bytes ? own : host
  }

  /** What happened on the host since the last look. */
  #signOfHost(now: number): Sign {
    const [before, passed] = [this.#last, now - this.#lastAt]
    const after = this.#read(now)
    const source = after?.source ?? ''
    if (after === null) return { level: 'normal', source }
    if (after.isLow === true) return { level: 'critical', source }
    if (before === null) return { level: 'normal', source }
    if (after.full - before.full >= stalledPart * passed) return { level: 'critical', source }
    const isShort = after.some - before.some >= stalledPart * passed || after.reached > before.reached
    return { level: isShort ? 'warning' : 'normal', source }
  }

  #read(now: number): HostPressure | null {
    this.#lastAt = now
    return (this.#last = this.#memory.host?.pressure?.() ?? null)
  }

  /** Gives memory back. Returns what each gave. */
  #answer(level: PressureLevel, nearest: LimitUse | null, begun: number): readonly Given[] {
    const { reclaimers, now, scavenge, own } = this.#memory
    if (reclaimers.isRunning) return []
    const before = own()
    const over = nearest === null ? 0 : nearest.used - warningPart * nearest.bytes
    const want = Math.max(wantedPart[level] * before, over > 0 ? over : 0)
    const missing = (): number => want - (before - own())
    const first: Given = { name: 'the scavenger', bytes: scavenge(want) }
    const given = reclaimers.round('near', missing, () => now() > begun + answerMilliseconds)
    // What reclaimers made idle still has its memory.
    const second: Given = { name: 'the scavenger', bytes: given.length === 0 ? 0 : scavenge(want) }
    // What was given back may still count to a limit on committed memory.
    if (level === 'critical') this.#memory.decommit()
    return [first, ...given, second].filter(({ bytes }) => bytes > 0)
  }

  #tell({ level, source }: Sign, nearest: LimitUse | null, given: readonly Given[], now: number): void {
    this.#quiet = level === 'normal' ? this.#quiet + 1 : 0
    if (level === 'normal' && (this.#told === 'normal' || this.#quiet < quietLooks)) return
    if (level === this.#told && now < this.#toldAt + repeatMilliseconds) return
    this.#told = level
    this.#toldAt = now
    const event = { level, source, limit: nearest?.bytes ?? NaN, used: nearest?.used ?? NaN, given }
    for (const listener of this.#listeners) {
      // One that was called before may have taken it away.
      if (this.#listeners.includes(listener)) this.#call(listener, event)
    }
  }

  #call(listener: PressureListener, event: PressureEvent): void {
    run(
      () => listener(event),
      (error) => {
        if (this.#hasWarned) return
        this.#hasWarned = true
        const said = thrownText(error)
        warn('MEMLAYER_PRESSURE', `A listener of memory.onPressure threw ${said}.`, 'Other listeners were called.')
      },
    )
  }
}

function signOfLimit(nearest: LimitUse | null): Sign {
  if (nearest === null) return { level: 'normal', source: '' }
  const { name: source, used, bytes, isOwn } = nearest
  if (isOwn) return { level: used >= criticalPart * bytes ? 'warning' : 'normal', source }
  if (used >= criticalPart * bytes) return { level: 'critical', source }
  return { level: used >= warningPart * bytes ? 'warning' : 'normal', source }
}
