#!/usr/bin/env node
// The command `npx @memlayer/inspect`. It shows a demo workload, or another process that allows it, as a page or in the
// terminal.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { memory } from 'memlayer'
import { drawProcess, printAddress } from './attach.js'
import { startDemo } from './demo.js'
import { inspect } from './server.js'
import { columnsOf, showTerminal, TerminalDrawing } from './terminal-screen.js'

const usage = `usage: memlayer-inspect demo [--terminal] [--once] [--seconds=N]
       memlayer-inspect attach <pid> [--terminal] [--seconds=N]

  demo         run a workload on this host's memory and serve a page on loopback that shows it
  attach       print the address of a page on a process that was started with
               node --import @memlayer/inspect/auto
  --terminal   draw in the terminal instead of serving a page
  --once       draw once in the terminal, without colors, and end
  --seconds=N  end after N seconds (default: run until Ctrl+C)
  --version    print the version
  --help       print this text`

/** The longest delay of a timer, in milliseconds: 25 days. Node fires a timer with a longer delay at once. */
const timerDelayMax = 2 ** 31 - 1

/** The arguments do not match the usage. */
class UsageError extends Error {}

function main(args: readonly string[]): void {
  try {
    run(args)
  } catch (error) {
    const isUsage =
      error instanceof UsageError || String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')
    if (!isUsage) throw error
    // Node's first sentence says what is wrong. Its advice after that does not apply to this command.
    const [says] = (error as Error).message.split(/\.\s/)
    console.error(`${says}\n\n${usage}`)
    process.exitCode = 2
  }
}

function run(args: readonly string[]): void {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      terminal: { type: 'boolean' },
      once: { type: 'boolean' },
      seconds: { type: 'string' },
      version: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (args.length === 0 || values.help === true) return console.log(usage)
  if (values.version === true) return console.log(version())
  const [command, ...more] = positionals
  if (command === 'attach') return attach(more, values)
  if (command !== 'demo')
    throw new UsageError(
      command === undefined
        ? 'no command given: run demo or attach'
        : `unknown command '${command}': run demo or attach`,
    )
  if (more.length > 0) throw new UsageError(`demo takes only flags: remove '${more[0]}'`)
  const seconds = secondsOf(values.seconds)
  if (values.once === true) once()
  else demo(values.terminal === true ? terminal : page, seconds)
}

/** Shows another process. The exit code is 1 where it does not allow that. */
function attach(
  [word, ...more]: readonly string[],
  { terminal: inTerminal = false, once: isOnce = false, seconds: text }: AttachFlags,
): void {
  if (word === undefined) throw new UsageError('attach takes the number of a process: give one')
  const pid = Number(word)
  if (!(Number.isSafeInteger(pid) && pid > 0)) throw new UsageError(`'${word}' is not the number of a process`)
  if (more.length > 0) throw new UsageError(`attach takes one number: remove '${more[0]}'`)
  if (isOnce) throw new UsageError('--once is for demo alone: remove it')
  const seconds = secondsOf(text)
  if (!inTerminal) return void printAddress(pid).then(exitUnless)
  const end = new AbortController()
  const abort = (): void => end.abort()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, abort)
  endWithReader(abort)
  if (Number.isFinite(seconds)) setTimeout(abort, Math.min(seconds * 1000, timerDelayMax)).unref()
  void drawProcess(pid, end.signal).then(exitUnless)
}

interface AttachFlags {
  readonly terminal?: boolean | undefined
  readonly once?: boolean | undefined
  readonly seconds?: string | undefined
}

function exitUnless(isShown: boolean): void {
  if (!isShown) process.exitCode = 1
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

function secondsOf(word: string | undefined): number {
  const seconds = word === undefined ? Infinity : word.trim() === '' ? NaN : Number(word)
  if (!(seconds >= 0)) throw new UsageError(`--seconds is '${word}': give a number of seconds, 0 or more`)
  return seconds
}

function once(): void {
  endWithReader(() => {
    // Nothing to do: drawing once ends by itself.
  })
  const stopDemo = startDemo(memory)
  const drawing = new TerminalDrawing(memory)
  console.log(drawing.lines(columnsOf(process.stdout), Infinity, false, true).join('\n'))
  drawing.end()
  stopDemo()
}

function demo(show: () => () => void, seconds: number): void {
  const stopDemo = startDemo(memory)
  const stop = show()
  let isOver = false
  const end = (): void => {
    if (isOver) return
    isOver = true
    stop()
    stopDemo()
    clearTimeout(timer)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end)
  endWithReader(end)
  const timer = Number.isFinite(seconds) ? setTimeout(end, Math.min(seconds * 1000, timerDelayMax)) : undefined
}

/** Calls `end` when the reader of stdout exits early, as `head` does. That is not a failure. */
function endWithReader(end: () => void): void {
  process.stdout.on('error', (error: Error & { readonly code?: string }) => {
    if (error.code !== 'EPIPE') throw error
    end()
  })
}

function page(): () => void {
  // The demo is refused memory on purpose.
  const started = inspect(memory, { warnings: false })
  void started.then(({ url }) => console.log(`Open ${url}\nThe address works in one browser. Press Ctrl+C to end.`))
  return () => void started.then((inspector) => inspector.close())
}

function terminal(): () => void {
  const view = showTerminal(memory)
  return () => view.close()
}

main(process.argv.slice(2))
