// A process under pressure: its host's word, its limits, what its memory has, and a clock, all simulated.
import type { PressureEvent } from '@memlayer/core'
import type { HostPressure, HostServices, PosixLimits, WindowsLimits } from '@memlayer/kernel'
import { expect } from 'vitest'
import { Pressure } from '../src/limit/pressure.js'
import { Reclaimers } from '../src/limit/reclaimers.js'

export const MiB = 2 ** 20
export const quiet: HostPressure = { source: "the host's PSI", some: 0, full: 0, reached: 0 }

/** A process: its host's word, its limits, what its memory has, and a clock. */
export class World {
  told: HostPressure | null = quiet
  limits: Partial<PosixLimits> | WindowsLimits = { groupLimit: Infinity }
  ownLimit: { bytes: number; used: number } | null = null
  ready = 640 * MiB
  idle = 0
  /** How often what stays committed was decommitted. */
  decommitted = 0
  /** Milliseconds that a reclaimer takes. */
  cost = 0
  readonly heard: PressureEvent[] = []
  readonly reclaimers = new Reclaimers()
  readonly pressure: Pressure
  looks = 0
  #time = 0
  #timer: { readonly at: number; readonly run: () => void } | null = null

  constructor() {
    const host = {
      limits: () => this.limits,
      pressure: () => {
        this.looks += 1
        return this.told
      },
    } as HostServices
    this.pressure = new Pressure({
      host,
      reclaimers: this.reclaimers,
      limit: () => (this.ownLimit === null ? null : { name: 'memory.limit', isOwn: true, ...this.ownLimit }),
      own: () => this.ready + this.idle,
      scavenge: (bytes) => {
        const released = Math.min(bytes, this.idle)
        this.idle -= released
        return released
      },
      decommit: () => {
        this.decommitted += 1
      },
      now: () => this.#time,
      after: (milliseconds, run) => {
        expect(this.#timer, 'one timer at a time').toBe(null)
        this.#timer = { at: this.#time + milliseconds, run }
      },
    })
  }

  get isWaiting(): boolean {
    return this.#timer !== null
  }

  listen(): () => void {
    return this.pressure.listen((event) => this.heard.push(event))
  }

  reclaimer(name: string, bytes: number, priority = 0): number[] {
    const asked: number[] = []
    this.reclaimers.add({ name, priority }, ({ want, level }) => {
      expect(level).toBe('near')
      asked.push(want)
      this.#time += this.cost
      this.ready -= bytes
    })
    this.pressure.wake()
    return asked
  }

  /** Lets seconds pass; `happens` is what the host counts in each. */
  pass(seconds: number, happens: Partial<Record<'some' | 'full' | 'reached', number>> = {}): void {
    for (let i = 0; i < seconds; i++) {
      this.#time += 1000
      const { some = 0, full = 0, reached = 0 } = happens
      const told = this.told
      if (told !== null)
        this.told = { ...told, some: told.some + some, full: told.full + full, reached: told.reached + reached }
      const timer = this.#timer
      if (timer === null || timer.at > this.#time) continue
      this.#timer = null
      timer.run()
    }
  }

  get levels(): string[] {
    return this.heard.map(({ level }) => level)
  }
}
