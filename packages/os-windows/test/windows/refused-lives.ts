// Lives in which the kernel refuses, as golden's wine-go119-windows-refused.txt recorded them of a Go process. The
// argument names one. Two marks enclose it in Wine's log. It calls the backend alone, as the Go program calls its
// runtime's functions. Runs in Node for Windows.
import assert from 'node:assert/strict'
import { windowsKernel } from '@memlayer/ffi'
import { createOS } from '@memlayer/os-windows'

// A reservation can't begin here, so the kernel refuses, and Wine logs the call.
const MARK = 0x5a5a_0000
const MEM_RELEASE = 0x8000
const MiB = 2 ** 20
const PiB = 2 ** 50

const kernel = windowsKernel()
const os = createOS()

/** A reservation that the kernel has to grant. */
function reserve(v: number | null, n: number): number {
  const p = os.sysReserveOS(v, n)
  assert.ok(p !== null)
  return p
}

const lives: Readonly<Record<string, () => void>> = {
  reserve() {
    assert.equal(os.sysReserveOS(null, PiB), null)
    assert.equal(os.sysReserveOS(2 ** 40, PiB), null)
    const v = reserve(null, 4 * MiB)
    os.sysUsedOS(v, MiB)
    os.sysUnusedOS(v, MiB)
    os.sysFreeOS(v, 4 * MiB)
  },
  alloc() {
    assert.equal(os.sysAllocOS(2 ** 46), null)
    const v = os.sysAllocOS(MiB)
    assert.ok(v !== null)
    os.sysFaultOS(v, MiB)
    os.sysFreeOS(v, MiB)
  },
  crossing() {
    const v = reserve(null, 8 * MiB)
    os.sysFreeOS(v, 8 * MiB)
    assert.equal(reserve(v, 4 * MiB), v)
    assert.equal(reserve(v + 4 * MiB, 4 * MiB), v + 4 * MiB)
    os.sysUsedOS(v + 2 * MiB, 4 * MiB)
    os.sysUnusedOS(v + 2 * MiB, 4 * MiB)
    os.sysFreeOS(v, 4 * MiB)
    os.sysFreeOS(v + 4 * MiB, 4 * MiB)
  },
  commit() {
    const v = reserve(null, 4096 * MiB)
    assert.throws(() => os.sysUsedOS(v, 4096 * MiB), /^FatalError: out of memory/)
    os.sysFreeOS(v, 4096 * MiB)
  },
}

const life = lives[process.argv[2] ?? '']
assert.ok(life)
// Run once before the marks, so that the engine has compiled it and asks for no memory in between.
life()
kernel.virtualFree(MARK, 0, MEM_RELEASE)
life()
kernel.virtualFree(MARK, 0, MEM_RELEASE)
