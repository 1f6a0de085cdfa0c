// The transitions on the Windows kernel. The tests are in windows/reservations.ts and windows/commitments.ts. Here is
// what only another process can see: how a process ends that touches the wrong page.
import { describeOnWindows, needsWindows, runOnWindows } from '@memlayer/wine'
import { describe, expect, it } from 'vitest'

const folder = import.meta.dirname
describeOnWindows('os-windows: reservations on kernel32', { folder, file: 'windows/reservations.ts' })
describeOnWindows('os-windows: commitments on kernel32', { folder, file: 'windows/commitments.ts' })

// STATUS_ACCESS_VIOLATION. Wine keeps its lowest byte alone.
const accessViolation = process.platform === 'win32' ? 0xc0000005 : 5

describe('os-windows: touching', () => {
  const pages = ['faulted', 'unused', 'freed', 'reserved', 'mapped']

  it.for(pages)('a page that is %s ends the process with an access violation', async (page, context) => {
    needsWindows(context)
    const { code, stdout } = await runOnWindows('windows/touch.ts', { folder, args: [page] })
    expect(stdout).toBe('Ready reads 0\n')
    expect(code).toBe(accessViolation)
  })
})
