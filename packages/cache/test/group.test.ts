// A cache in a control group: it lives where a cache that knows no limit is killed.
import { execFile } from 'node:child_process'
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const MiB = 2 ** 20
const group = `/sys/fs/cgroup/memory/memlayer-cache-${process.pid}`
let hasGroup = false

interface Ended {
  readonly end: number | string
  readonly stdout: string
  readonly stderr: string
}

function runInGroup(file: string): Promise<Ended> {
  const script = `echo $$ > ${group}/cgroup.procs && exec "$@"`
  const args = ['-c', script, 'sh', process.execPath, join(import.meta.dirname, file)]
  return new Promise((resolve) => {
    const child = execFile('sh', args, { timeout: 110_000 }, (_, stdout, stderr) => {
      resolve({ end: child.signalCode ?? child.exitCode ?? NaN, stdout, stderr })
    })
  })
}

describe.skipIf(process.platform !== 'linux')('a cache of 1 GiB in a control group of 256 MiB', () => {
  beforeAll(() => {
    try {
      mkdirSync(group)
      writeFileSync(`${group}/memory.limit_in_bytes`, String(256 * MiB))
      hasGroup = true
    } catch {
      // It is not a host with version 1, or this is not its root.
    }
  })
  afterAll(() => {
    if (hasGroup) rmdirSync(group)
  })

  it(
    'lives while 2 GiB are stored, fills the group, and has what is popular',
    { timeout: 120_000 },
    async (context) => {
      if (!hasGroup) context.skip('needs version 1 of control groups, and root')
      const { end, stdout, stderr } = await runInGroup('group-life.mjs')
      expect([end, stderr]).toEqual([0, ''])
      const told = JSON.parse(stdout) as Record<
        'wrong' | 'hitRate' | 'bytes' | 'evictions' | 'refusals' | 'sets',
        number
      >
      console.log(`hit rate ${(100 * told.hitRate).toFixed(1)} %, ${(told.bytes / MiB).toFixed(0)} MiB of entries`)
      expect(told.wrong).toBe(0)
      expect(told.bytes).toBeGreaterThan(96 * MiB)
      expect(told.hitRate).toBeGreaterThan(0.4)
      expect(told.evictions).toBeGreaterThan(500_000)
      expect(told.refusals).toBeLessThan(told.sets / 1000)
    },
  )
})
