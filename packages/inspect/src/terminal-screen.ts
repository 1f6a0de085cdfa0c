// Shows a memory in a terminal while the program runs. A terminal shows it on the alternate screen, which leaves no
// traces, in as many lines and columns as there are. A pipe, a file and a dumb terminal get plain text.
import { checkOptions, type Memory } from '@memlayer/core'
import { Log } from './log.js'
import { momentOf, type Moment } from './snapshot.js'
import { Snapshots } from './take-snapshot.js'
import { drawTerminal } from './terminal.js'

/** Where the view is drawn: `process.stdout`, for example. */
export interface TerminalOutput {
  /** Writes a text. */
  write(text: string): unknown
  /** Whether it is a terminal. */
  readonly isTTY?: boolean | undefined
  /** Its columns; 0 or absent: not known. */
  readonly columns?: number | undefined
  /** Its lines; 0 or absent: not known. */
  readonly rows?: number | undefined
}

/** Options of `showTerminal`. */
export interface TerminalOptions {
  /** Where the view is drawn. Default: `process.stdout`. */
  readonly output?: TerminalOutput
  /** Milliseconds from one drawing to the next. Default: 1,000 in a terminal, 5,000 elsewhere. */
  readonly every?: number
}

/** A view that goes on until it is closed. */
export interface TerminalView extends Disposable {
  /** Ends the view. The terminal shows what it showed before. */
  close(): void
}

/** Milliseconds from one explanation to the next. An explanation takes a hundred times as long as a snapshot. */
const explainMilliseconds = 30_000
/** Moments in the sparkline, at most. */
const momentsMax = 400
const [columnsDefault, rowsDefault, columnsMax] = [80, 24, 200]
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const enter = '\u001B[?1049h\u001B[?25l'
const leave = '\u001B[?25h\u001B[?1049l'

/** A terminal that a view is drawn on, or what stands in its place and gets plain text. */
export class Screen {
  readonly #output: TerminalOutput
  readonly #isTerminal: boolean
  /** Whether it has colours. */
  readonly hasColour: boolean
  #isOver = false

  constructor(output: TerminalOutput) {
    this.#output = output
    this.#isTerminal = output.isTTY === true && process.env['TERM'] !== 'dumb'
    this.hasColour = this.#isTerminal && (process.env['NO_COLOR'] ?? '') === ''
    if (!this.#isTerminal) return
    for (const signal of signals) process.on(signal, this.#onSignal)
    process.once('exit', this.close)
    output.write(enter)
  }

  /** The columns of a line. */
  get columns(): number {
    return columnsOf(this.#output)
  }

  /** The lines that it has. What is not a terminal has no end. */
  get rows(): number {
    return this.#isTerminal ? this.#output.rows || rowsDefault : Infinity
  }

  /** Milliseconds from one drawing to the next. */
  get every(): number {
    return this.#isTerminal ? 1000 : 5000
  }

  /** Shows these lines in place of those before. */
  show(lines: readonly string[]): void {
    if (!this.#isOver) this.#output.write(this.#isTerminal ? screenOf(lines) : `${lines.join('\n')}\n\n`)
  }

  /** Ends the view. The terminal shows what it showed before. */
  readonly close = (): void => {
    if (this.#isOver) return
    this.#isOver = true
    for (const signal of signals) process.off(signal, this.#onSignal)
    process.off('exit', this.close)
    if (this.#isTerminal) this.#output.write(leave)
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.close()
    // If the program listens too, it decides what the signal does. If not, the signal ends it, as it would have.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
  }
}

/** Draws one memory, time after time. */
export class TerminalDrawing {
  readonly #snapshots: Snapshots
  readonly #log: Log
  readonly #history: Moment[] = []
  #explainedAt = -Infinity

  constructor(memory: Memory) {
    this.#snapshots = new Snapshots(memory)
    this.#log = new Log(memory)
  }

  /** The lines of now. `alone`: nothing follows, so it looks for longer. */
  lines(columns: number, rows: number, colour: boolean, alone = false): string[] {
    const explain = performance.now() >= this.#explainedAt + explainMilliseconds
    if (explain) this.#explainedAt = performance.now()
    const snapshot = this.#snapshots.take({ log: this.#log.entries(), alone, explain })
    this.#history.push(momentOf(snapshot))
    if (this.#history.length > momentsMax) this.#history.shift()
    return drawTerminal(snapshot, columns, colour, this.#history, rows)
  }

  /** Ends the log. */
  end(): void {
    this.#log.end()
  }
}

/** The columns of an output. A terminal that does not tell has 80. */
export function columnsOf({ columns }: TerminalOutput): number {
  return Math.min(columns || columnsDefault, columnsMax)
}

/**
 * Shows `memory` in a terminal until it is closed. In a terminal it is the alternate screen, so nothing else should
 * write there. `NO_COLOR` ends the colours. `TERM=dumb`, a pipe and a file get plain text. It does not keep the process
 * alive.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION, when an option is not known.
 */
export function showTerminal(memory: Memory, options: TerminalOptions = {}): TerminalView {
  const { output = process.stdout, every } = checkOptions('showTerminal', options, ['output', 'every'])
  const screen = new Screen(output)
  const drawing = new TerminalDrawing(memory)
  const draw = (): void => screen.show(drawing.lines(screen.columns, screen.rows, screen.hasColour))
  const timer = setInterval(draw, every ?? screen.every).unref()
  const close = (): void => {
    clearInterval(timer)
    drawing.end()
    screen.close()
  }
  draw()
  return { close, [Symbol.dispose]: close }
}

/** The lines from the top of the screen on. What was there before goes, without the flicker of an empty screen. */
function screenOf(lines: readonly string[]): string {
  return `\u001B[H${lines.map((one) => `${one}\u001B[K`).join('\r\n')}\u001B[J`
}
