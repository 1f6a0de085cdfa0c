#!/usr/bin/env node
// `npx @memlayer/inspect demo`: the page, or with --terminal the terminal, over a workload that lives.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { memory } from 'memlayer'
import { startDemo } from './demo.js'
import { Log } from './log.js'
import { inspect } from './server.js'
import { momentOf, type Moment } from './snapshot.js'
import { Snapshots } from './take-snapshot.js'
import { drawTerminal } from './terminal.js'

const usage = `usage: memlayer-inspect demo [--terminal] [--once] [--seconds=N]

  demo         a workload on this host's memory, and a page on loopback that shows it
  --terminal   draw it here instead
  --once       draw it here once, without colours
  --seconds=N  end after N seconds; else by Ctrl+C
  --version    which version this is
  --help       this`

/** Drawings in the terminal between two explanations, which are slow. */
const EXPLAIN_EVERY = 20

/** The longest that a timer waits, 25 days: one of more fires at once. */
const LONGEST = 2 ** 31 - 1

/** The arguments are not what the usage says. */
class UsageError extends Error {}

function main(args: readonly string[]): void {
  try {
    run(args)
  } catch (error) {
    const isUsage =
      error instanceof UsageError || String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')
    if (!isUsage) throw error
    // Node's first sentence says what is wrong; what it advises after it is not for this command.
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
  if (command !== 'demo')
    throw new UsageError(command === undefined ? 'name a command' : `there is no command '${command}'`)
  if (more.length > 0) throw new UsageError(`demo takes flags alone, and not '${more[0]}'`)
  const seconds = secondsOf(values.seconds)
  if (values.once === true) once()
  else demo(values.terminal === true ? () => terminal(false) : page, seconds)
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

function secondsOf(word: string | undefined): number {
  const seconds = word === undefined ? Infinity : word.trim() === '' ? NaN : Number(word)
  if (!(seconds >= 0)) throw new UsageError(`--seconds is '${word}', and not a number of seconds`)
  return seconds
}

function once(): void {
  endWithReader(() => {
    // It ends by itself.
  })
  const stopDemo = startDemo(memory)
  terminal(true)()
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
  process.once('SIGINT', end)
  endWithReader(end)
  const timer = Number.isFinite(seconds) ? setTimeout(end, Math.min(seconds * 1000, LONGEST)) : undefined
}

/** Ends when what reads this has gone, as `head` does after its lines: that is no failure, and nobody is left to be told. */
function endWithReader(end: () => void): void {
  process.stdout.on('error', (error: Error & { readonly code?: string }) => {
    if (error.code !== 'EPIPE') throw error
    end()
  })
}

function page(): () => void {
  const started = inspect(memory)
  void started.then(({ url }) => console.log(`Open ${url}\nThe address is good for one browser. Ctrl+C ends it.`))
  return () => void started.then((inspector) => inspector.close())
}

function terminal(isOnce: boolean): () => void {
  const log = new Log(memory)
  const snapshots = new Snapshots(memory)
  const history: Moment[] = []
  const draw = (): void => {
    const snapshot = snapshots.take({
      log: log.entries(),
      alone: isOnce,
      explain: history.length % EXPLAIN_EVERY === 0,
    })
    history.push(momentOf(snapshot))
    const lines = drawTerminal(snapshot, Math.min(process.stdout.columns ?? 80, 160), !isOnce, history)
    console.log(`${isOnce ? '' : '\u001B[H\u001B[2J'}${lines.join('\n')}`)
  }
  draw()
  const timer = isOnce ? undefined : setInterval(draw, 500)
  return () => {
    clearInterval(timer)
    log.end()
  }
}

main(process.argv.slice(2))
