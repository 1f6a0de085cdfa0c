// 4,096 Buffers: dropping them returns no memory, but one call does.
import { runChild } from '@memlayer/witness'
import type { Step } from '@memlayer/examples/buffers'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20

describe.skipIf(process.platform !== 'linux')('4,096 Buffers of 64 KiB', () => {
  it('stay resident after they are dropped, because the C library keeps them free until trimHost', () => {
    const code = `
      import { buffers } from '@memlayer/examples/buffers'
      console.log(JSON.stringify(await buffers(gc)))`
    const { stdout, stderr } = runChild(code, { from: import.meta.dirname, nodeArgs: ['--expose-gc'] })
    expect(stderr).toBe('')
    const [full, dropped, after] = JSON.parse(stdout) as [Step, Step, Step]
    expect(full.resident).toBeGreaterThan(256 * MiB)
    expect(dropped.resident).toBeGreaterThan(full.resident - 64 * MiB)
    expect(dropped.slack).toBeGreaterThan(200 * MiB)
    expect(after.resident).toBeLessThan(dropped.resident - 150 * MiB)
  })
})
