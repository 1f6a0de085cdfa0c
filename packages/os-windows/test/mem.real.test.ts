// The transitions on the Windows kernel: see windows/mem.real.ts for the tests. This file adds a test from outside:
// how a process ends that touches the wrong page.
import { describeOnWindows, needsWindows, runOnWindows } from '@memlayer/wine'
import { describe, expect, it } from 'vitest'

describeOnWindows('os-windows on kernel32', { folder: import.meta.dirname, file: 'windows/mem.real.ts' })

// STATUS_ACCESS_VIOLATION, 0xC0000005. Wine passes on only its lowest byte.
const accessViolation = process.platform === 'win32' ? 0xc0000005 : 5

describe('os-windows: touching', () => {
  const pages = ['faulted', 'unused', 'freed', 'reserved', 'mapped']

  it.for(pages)('a page that is %s ends the process with an access violation', async (page, context) => {
    needsWindows(context)
    const { code, stdout } = await runOnWindows('windows/touch.ts', { folder: import.meta.dirname, args: [page] })
    expect(stdout).toBe('Ready reads 0\n')
    expect(code).toBe(accessViolation)
  })
})
