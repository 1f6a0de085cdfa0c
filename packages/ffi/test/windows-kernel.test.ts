// kernel32 behind its port: see windows/kernel.ts. This file tests what happens where it is not available.
import { NoEngineError, windowsKernel } from '@memlayer/ffi'
import { describeOnWindows, needsWindows, runOnWindows } from '@memlayer/wine'
import { describe, expect, it } from 'vitest'

const folder = import.meta.dirname

describeOnWindows('the Windows kernel', { folder, file: 'windows/kernel.ts' })

describe('the Windows kernel is not available', () => {
  it.skipIf(process.platform === 'win32')('on another system, and says so', () => {
    expect(() => windowsKernel()).toThrow(NoEngineError)
    expect(() => windowsKernel()).toThrow(/has no kernel32\. Hand a kernel to createOS\(\{ kernel \}\)\./)
  })

  it('without addons, and says which flag to leave out', async (context) => {
    needsWindows(context)
    const { stdout } = await runOnWindows('windows/no-engine.ts', { folder, nodeArgs: ['--no-addons'] })
    expect(JSON.parse(stdout)).toEqual({
      name: 'NoEngineError',
      code: 'ERR_MEMLAYER_NO_ENGINE',
      message: expect.stringContaining('Start node without --no-addons.') as string,
    })
  })
})
