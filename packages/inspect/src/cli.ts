#!/usr/bin/env node
// `npx @memlayer/inspect demo`: the page, or with --terminal the terminal, over a workload that lives.
import { memory } from 'memlayer'
import { startDemo } from './demo.js'
import { inspect } from './server.js'
import { Log, takeSnapshot } from './take-snapshot.js'
import { drawTerminal } from './terminal.js'

const usage = `usage: memlayer-inspect demo [--terminal] [--once] [--seconds=N]

  demo         a workload on this host's memory, and a page on loopback that shows it
  --terminal   draw it here instead
  --once       draw it once, without colours
  --seconds=N  end after N seconds; else by Ctrl+C`

function main(args: readonly string[]): void {
  if (args[0] !== 'demo') {
    console.log(usage)
    process.exitCode = args.length === 0 || args.includes('--help') ? 0 : 2
    return
  }
  const stopDemo = startDemo(memory)
  const seconds = Number(args.find((arg) => arg.startsWith('--seconds='))?.split('=')[1] ?? Infinity)
  const stop = args.includes('--terminal') ? terminal(args.includes('--once')) : page()
  if (args.includes('--once')) return stopDemo()
  const end = (): void => {
    stop()
    stopDemo()
  }
  process.once('SIGINT', end)
  if (Number.isFinite(seconds)) setTimeout(end, seconds * 1000)
}

function page(): () => void {
  const started = inspect(memory)
  void started.then(({ url }) => console.log(`Open ${url}\nThe address is good for one browser. Ctrl+C ends it.`))
  return () => void started.then((inspector) => inspector.close())
}

function terminal(once: boolean): () => void {
  const log = new Log(memory)
  const draw = (): void => {
    const lines = drawTerminal(takeSnapshot(memory, { log: log.entries() }), Math.min(process.stdout.columns ?? 80, 160), !once)
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
