// A process that scavenges: its clock, and the memory that its scavenger sees, both simulated.
import type { Clock } from '../src/scavenge/clock.js'
import { Idle } from '../src/scavenge/idle.js'
import { Scavenger, scavenging, type Scavenging } from '../src/scavenge/scavenger.js'

export const page = 4096
export const huge = 2 ** 21
export const MiB = 2 ** 20
/** Milliseconds that the simulated OS takes for a MiB. */
const costOfMiB = 0.1

interface Timer {
  readonly at: number
  readonly run: () => void
}

/** A process: its clock, and the memory that its scavenger sees. */
export class World implements Clock {
  readonly idle = new Idle()
  readonly scavenger: Scavenger
  readonly released: [v: number, n: number][] = []
  readonly timers: Timer[] = []
  /** The part of its time in which the thread is at work. */
  load = 0
  /** Bytes that are Ready, and where. */
  ready = 0
  /** Bytes by which a limit is near. */
  near = 0
  readyAt: [v: number, n: number] = [0, 0]
  refuses = false
  #time = 0
  #worked = 0

  constructor(options: Partial<Scavenging> = {}, hugePageSize = 0) {
    const memory = {
      idle: this.idle,
      pageSize: page,
      hugePageSize,
      ready: () => this.ready,
      near: () => this.near,
      readyIn: (v: number, n: number) =>
        Math.max(0, Math.min(v + n, this.readyAt[0] + this.readyAt[1]) - Math.max(v, this.readyAt[0])),
      release: (pairs: readonly number[]) => this.#release(pairs),
    }
    this.scavenger = new Scavenger(memory, { ...scavenging, ...options }, this)
  }

  now(): number {
    return this.#time
  }

  worked(): number {
    return this.#worked
  }

  after(milliseconds: number, run: () => void): void {
    this.timers.push({ at: this.#time + milliseconds, run })
  }

  busy(): number {
    return this.load
  }

  /** Makes [v, v+n) idle. */
  add(v: number, n: number): void {
    this.idle.add(v, n)
    this.scavenger.wake()
  }

  /** Lets time go by. */
  pass(milliseconds: number): void {
    const until = this.#time + milliseconds
    for (;;) {
      const next = this.timers[0]
      if (next === undefined || next.at > until) break
      this.timers.shift()
      this.#time = Math.max(this.#time, next.at)
      next.run()
    }
    this.#time = until
  }

  #release(pairs: readonly number[]): number {
    if (this.refuses) return 0
    let bytes = 0
    for (let i = 0; i < pairs.length; i += 2) {
      const [v, n] = [pairs[i] as number, pairs[i + 1] as number]
      this.idle.forget(v, n)
      this.released.push([v, n])
      bytes += n
    }
    this.#time += (bytes / MiB) * costOfMiB
    this.#worked += (bytes / MiB) * costOfMiB
    return bytes
  }
}
