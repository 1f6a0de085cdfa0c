// Snapshots, the terminal, the trace, the command, and what observing costs.
import { spawnSync } from 'node:child_process'
import { createMemory } from '@memlayer/core'
import { drawTerminal, takeSnapshot, traceOf, type LogEntry } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-js'
import { expect, it } from 'vitest'

const inUse = () => {
  const memory = createMemory(createOS())
  const page = memory.os.traits.pageSize
  const v = memory.sysReserve(null, 16 * page)
  memory.sysMap(v, 8 * page, memory.stat('cache'))
  memory.sysUsed(v, 4 * page)
  return { memory, v, page }
}

it('takes a snapshot that is the account, and holds no bytes of memory', () => {
  const { memory, v, page } = inUse()
  new Uint8Array(memory.os.view(v, page)).fill(0x5a)
  const snapshot = takeSnapshot(memory)
  expect(snapshot.stats).toEqual(memory.stats())
  expect(snapshot.ranges).toEqual([v, 4 * page, 3, 1, v + 4 * page, 4 * page, 2, 1, v + 8 * page, 8 * page, 1, 0])
  expect(JSON.stringify(snapshot)).not.toContain('ZZZZ')
})

it('draws each state in the terminal by its share', () => {
  const { memory } = inUse()
  const lines = drawTerminal(takeSnapshot(memory), 64, false)
  expect(lines).toContain(`${'#'.repeat(16)}${'-'.repeat(16)}${'.'.repeat(32)}`)
  expect(lines.join('\n')).toContain('Ready 256 KiB')
  expect(drawTerminal(takeSnapshot(createMemory(createOS())), 20, true).length).toBeGreaterThan(4)
})

it('writes operations and snapshots as trace events', () => {
  const { memory } = inUse()
  const entry: LogEntry = { at: 1, op: 'sysMap', address: 4096, size: 1, category: 'a', outcome: 'done', answer: 'done' }
  const { traceEvents } = traceOf([entry], [takeSnapshot(memory)])
  expect(traceEvents.map(({ name, ph }) => `${name} ${ph}`)).toEqual(['process_name M', 'sysMap i', 'layer C', 'process C'])
  expect(traceEvents[1]).toMatchObject({ ts: 1000, args: { address: '0x1000' } })
})

it('draws the demo once by its command', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/cli.js', 'demo', '--terminal', '--once'], { cwd: new URL('..', import.meta.url), encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/cache .*\n.*index|index .*\n.*cache/)
})
