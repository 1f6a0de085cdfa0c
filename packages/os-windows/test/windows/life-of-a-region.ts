// The life that golden's wine-go119-windows.txt recorded of a Go process. Two marks enclose it, so that it can be
// found in Wine's log. Runs in Node for Windows.
import { createMemory } from '@memlayer/core'
import { windowsKernel } from '@memlayer/ffi'
import { createOS } from '@memlayer/os-windows'

// A reservation can't begin here, so the kernel refuses, and Wine logs the call.
const MARK = 0x5a5a_0000
const MEM_RELEASE = 0x8000

const kernel = windowsKernel()
const memory = createMemory(createOS())

function live(): void {
  const a = memory.sysReserve(null, 0x400000)
  memory.sysMap(a, 0x400000, null)
  memory.sysUsed(a, 0x40000)
  memory.sysUnused(a + 0x1000, 0x3000)
  memory.sysFault(a, 0x1000)
  memory.sysFree(a, 0x400000, null)
  const b = memory.sysAlloc(0x10000, null)
  memory.sysFree(b, 0x10000, null)
}

// Run once before the marks, so that the engine has compiled it and asks for no memory in between.
live()
kernel.virtualFree(MARK, 0, MEM_RELEASE)
live()
kernel.virtualFree(MARK, 0, MEM_RELEASE)
