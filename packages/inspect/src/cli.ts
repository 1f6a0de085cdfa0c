#!/usr/bin/env node
// `npx @memlayer/inspect demo`: the page, or with --terminal the terminal, over a workload that lives.
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
  --once       draw it once, without colours
  --seconds=N  end after N seconds; else by Ctrl+C`

/** Drawings in the terminal between two explanations, which are slow. */
const EXPLAIN_EVERY = 20

function main(args: readonly string[]): void {
  const seconds = Number(args.find((arg) => arg.startsWith('--seconds='))?.split('=')[1] ?? Infinity)
  if (args[0] !== 'demo' || !(seconds >= 0)) {
    console.log(usage)
    process.exitCode = args.length === 0 || args.includes('--help') ? 0 : 2
    return
  }
  const stopDemo = startDemo(memory)
  const stop = args.includes('--terminal') ? terminal(args.includes('--once')) : page()
  if (args.includes('--once')) {
    stop()
    return stopDemo()
  }
  const end = (): void => {
    stop()
    stopDemo()
    clearTimeout(timer)
  }
  process.once('SIGINT', end)
  const timer = Number.isFinite(seconds) ? setTimeout(end, seconds * 1000) : undefined
}

function page(): () => void {
  const started = inspect(memory)
  void started.then(({ url }) => console.log(`Open ${url}\nThe address is good for one browser. Ctrl+C ends it.`))
  return () => void started.then((inspector) => inspector.close())
}

function terminal(once: boolean): () => void {
  const log = new Log(memory)
  const snapshots = new Snapshots(memory)
  const history: Moment[] = []
  const draw = (): void => {
    const snapshot = snapshots.take({ log: log.entries(), alone: once, explain: history.length % EXPLAIN_EVERY === 0 })
    history.push(momentOf(snapshot))
    const lines = drawTerminal(snapshot, Math.min(process.stdout.columns ?? 80, 160), !once, history)
    console.log(`${once ? '' : '\u001B[H\u001B[2J'}${lines.join('\n')}`)
  }
  draw()
  const timer = once ? undefined : setInterval(draw, 500)
  return () => {
    clearInterval(timer)
    log.end()
  }
}

main(process.argv.slice(2))
