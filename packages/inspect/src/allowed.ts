// What a program allows that was started with `--import @memlayer/inspect/auto`, by environment variables: a page from
// the start, or only when it is asked for, by `memlayer-inspect attach` or by a signal.
import type { Memory } from '@memlayer/core'
import { meet } from './meeting.js'
import { record } from './recorder.js'
import { inspect, type Inspector } from './server.js'

/** MEMLAYER_INSPECT: a page from the start, only when it is asked for, or none, to record alone. */
const modes = ['page', 'wait', 'off'] as const

type Environment = Readonly<Record<string, string | undefined>>

/** Opens an inspector over one memory as the environment allows. */
export class Allowed {
  readonly #memory: Memory
  readonly #env: Environment
  #inspector: Promise<Inspector> | null = null
  /** How many addresses were given. */
  #given = 0

  constructor(memory: Memory, env: Environment) {
    this.#memory = memory
    this.#env = env
  }

  /** Starts what the environment asks for. It throws nothing. */
  async start(): Promise<void> {
    try {
      await this.#start()
    } catch (error) {
      warn(`The inspector can't start: ${String(error)}`)
    }
  }

  async #start(): Promise<void> {
    const { MEMLAYER_INSPECT: mode = 'page', MEMLAYER_RECORD: file, MEMLAYER_RECORD_SIGNAL: signals } = this.#env
    if (file !== undefined && file !== '')
      record(this.#memory, {
        file,
        warnings: this.#warnings,
        ...(signals === undefined ? {} : { signal: signals as NodeJS.Signals }),
      })
    if (!modes.some((one) => one === mode)) {
      warn(`MEMLAYER_INSPECT is '${mode}': set it to page, wait or off`)
      return
    }
    if (mode === 'off') return
    const signal = this.#env['MEMLAYER_INSPECT_SIGNAL']
    // Before all that takes time: a signal that nothing listens to ends the process.
    if (signal !== undefined) process.on(signal as NodeJS.Signals, () => void this.#tell().catch(warnOf))
    await meet(() => this.#address())
    if (mode === 'page') await this.#tell()
  }

  /** Whether alerts are process warnings. */
  get #warnings(): boolean {
    return this.#env['MEMLAYER_INSPECT_WARNINGS'] !== 'off'
  }

  /** An address that was not given before. The first call opens the inspector. */
  async #address(): Promise<string> {
    const { MEMLAYER_INSPECT_PORT: port, MEMLAYER_INSPECT_STACK: depth } = this.#env
    // After a failure the next call tries again.
    this.#inspector ??= inspect(this.#memory, {
      warnings: this.#warnings,
      ...(depth === undefined ? {} : { stackDepth: Number(depth) }),
      ...(port === undefined ? {} : { port: Number(port) }),
    })
    const opened = this.#inspector
    opened.catch(() => (this.#inspector = null))
    const inspector = await opened
    this.#given += 1
    return this.#given === 1 ? inspector.url : inspector.another()
  }

  async #tell(): Promise<void> {
    // To the error output, because the program's own output may be read by another program.
    process.stderr.write(`memlayer: process ${process.pid} is inspected at ${await this.#address()}\n`)
  }
}

const warnOf = (error: unknown): void => warn(`The inspector can't start: ${String(error)}`)

function warn(message: string): void {
  process.emitWarning(message, { type: 'MemlayerWarning', code: 'MEMLAYER_INSPECT' })
}
