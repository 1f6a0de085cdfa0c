// Measures a page cache over a file, and a broker of messages over HTTP, beside the same programs with Buffers.
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import type { Benchmark } from '../benchmark.js'
import type { Comparison, Goal, Unit } from '../comparison.js'
import { GiB, KiB, MiB } from '../layer.js'
import { difference, ratio, spread } from '../measure.js'

const programs: string = join(import.meta.dirname, '..', 'programs')

/** A figure of both ways, a value for each round. */
interface Pair {
  readonly memlayer: readonly number[]
  readonly buffer: readonly number[]
}

const inTurns = <T>(rounds: number, run: (way: 'memlayer' | 'buffer') => T): [T, T][] =>
  Array.from({ length: rounds }, () => [run('memlayer'), run('buffer')])

function line(work: string, unit: Unit, { memlayer, buffer: theirs }: Pair, goal?: Goal): Comparison {
  const isTime = unit === 'ns'
  return {
    work,
    unit,
    ours: spread(memlayer),
    beside: 'Buffer',
    theirs: spread(theirs),
    measure: isTime ? 'times' : 'more',
    result: isTime ? ratio(memlayer, theirs) : difference(memlayer, theirs),
    ...(goal === undefined ? {} : { goal }),
  }
}

interface CacheRun {
  readonly nanoseconds: number
  readonly full: number
  readonly evicted: number
}

function runCache(way: string, fileBytes: number, reads: number): CacheRun {
  const args = ['--expose-gc', join(programs, 'page-cache.js'), way, String(fileBytes), String(reads)]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`page-cache.js ${way} ended with exit code ${status}: ${stderr}`)
  return JSON.parse(stdout) as CacheRun
}

export const pageCache: Benchmark = {
  name: 'page-cache',
  says: 'frames of 16 KiB over a file of 1 GiB: a read, and resident memory after half of them were evicted',
  run({ quick }) {
    const [bytes, reads, rounds] = quick ? [16 * MiB, 1000, 1] : [GiB, 400_000, 5]
    const seen = inTurns(rounds, (way) => runCache(way, bytes, reads))
    const pair = (key: keyof CacheRun): Pair => ({
      memlayer: seen.map(([ours]) => ours[key]),
      buffer: seen.map(([, theirs]) => theirs[key]),
    })
    return Promise.resolve([
      line('a page cache: a read, processor time', 'ns', pair('nanoseconds'), { kind: 'most', value: 1.05 }),
      line('a page cache: resident when full', 'bytes', pair('full'), { kind: 'most', value: 2 * MiB }),
      line('a page cache: resident after half was evicted', 'bytes', pair('evicted'), { kind: 'most', value: 0 }),
    ])
  },
}

interface BrokerRun {
  readonly nanoseconds: number
  readonly rss: number
}

/** Fills the queue and empties it, so many times. Resident memory is what is left after `calm` milliseconds. */
async function runBroker(way: string, messages: number, rounds: number, calm: number): Promise<BrokerRun> {
  const bytes = 256 * KiB
  const server = fork(join(programs, 'broker.js'), [way, String(bytes), String(messages)])
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    const [port] = (await once(server, 'message')) as [number]
    const body = Buffer.alloc(bytes, 7)
    const ask = (method: string, path: string, sent?: Buffer): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        const asked = request({ agent, port, path, method, host: '127.0.0.1' }, (response) => {
          buffer(response).then(resolve, reject)
        })
        asked.on('error', reject).end(sent)
      })
    const start = performance.now()
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < messages; i++) await ask('POST', '/', body)
      for (let i = 0; i < messages; i++) {
        const got = await ask('GET', '/')
        if (got.length !== bytes || got[bytes - 1] !== 7) throw new Error(`the ${way} broker sent other bytes`)
      }
    }
    const nanoseconds = ((performance.now() - start) * 1e6) / (2 * messages * rounds)
    await setTimeout(calm)
    return { nanoseconds, rss: Number(await ask('GET', '/rss')) }
  } finally {
    agent.destroy()
    server.disconnect()
    await once(server, 'exit')
  }
}

export const broker: Benchmark = {
  name: 'broker',
  says: 'a broker of messages of 256 KiB over HTTP, its queue filled to 128 MiB and emptied',
  async run({ quick }) {
    const [messages, fills, rounds, calm] = quick ? [8, 1, 1, 0] : [512, 3, 5, 3000]
    const ours: BrokerRun[] = []
    const theirs: BrokerRun[] = []
    for (let round = 0; round < rounds; round++) {
      ours.push(await runBroker('memlayer', messages, fills, calm))
      theirs.push(await runBroker('buffer', messages, fills, calm))
    }
    const pair = (key: keyof BrokerRun): Pair => ({
      memlayer: ours.map((one) => one[key]),
      buffer: theirs.map((one) => one[key]),
    })
    return [
      line('a broker: a request with 256 KiB', 'ns', pair('nanoseconds')),
      line("a broker: the process's resident memory, the queue empty for 3 s", 'bytes', pair('rss'), {
        kind: 'most',
        value: 0,
      }),
    ]
  },
}
