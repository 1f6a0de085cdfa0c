// kernel32 behind the port: the facts that the host tells, and error numbers that no other call overwrites. Runs in
// Node for Windows.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { windowsKernel } from '@memlayer/ffi'

const COMMIT = 0x1000
const RESERVE = 0x2000
const DECOMMIT = 0x4000
const RELEASE = 0x8000
const READWRITE = 4
const CALLS = 100_000
const GiB = 2 ** 30

const kernel = windowsKernel()

it('tells the page size, the granularity and the limits of this process', () => {
  assert.equal(kernel.pageSize, 4096)
  assert.equal(kernel.allocationGranularity, 65536)
  const limits = kernel.limits?.()
  assert.ok(limits !== undefined)
  const { commitLimit, commitAvailable, addressSpace, addressSpaceAvailable } = limits
  assert.ok(commitLimit > GiB && commitLimit < 2 ** 50, String(commitLimit))
  assert.ok(commitAvailable > 0 && commitAvailable <= commitLimit, String(commitAvailable))
  assert.ok(addressSpace > 2 ** 46 && addressSpace <= 2 ** 47, String(addressSpace))
  assert.ok(addressSpaceAvailable > 0 && addressSpaceAvailable < addressSpace, String(addressSpaceAvailable))
})

it('answers an address, 0, or minus the number of the error', () => {
  const v = kernel.virtualAlloc(0, 65536, RESERVE, READWRITE)
  assert.ok(v > 0 && v % 65536 === 0)
  assert.equal(kernel.virtualAlloc(v, 65536, RESERVE, READWRITE), -487)
  assert.equal(kernel.virtualAlloc(v, 4096, COMMIT, READWRITE), v)
  assert.equal(kernel.virtualAlloc(v, 4096, COMMIT, 0x7777), -87)
  assert.equal(kernel.virtualAlloc(v, 0, COMMIT, READWRITE), -87)
  assert.equal(kernel.virtualFree(v, 65536, RELEASE), -87)
  assert.equal(kernel.virtualFree(v, 4096, DECOMMIT), 0)
  assert.equal(kernel.virtualFree(v, 0, RELEASE), 0)
})

it('reads and writes the bytes, by a view and by copies', () => {
  const v = kernel.virtualAlloc(0, 65536, COMMIT | RESERVE, READWRITE)
  const bytes = new Uint8Array(kernel.view(v, 65536))
  assert.ok(bytes.every((byte) => byte === 0))
  kernel.write?.(v + 100, Uint8Array.of(1, 2, 3))
  assert.deepEqual([...bytes.subarray(99, 104)], [0, 1, 2, 3, 0])
  bytes[101] = 9
  const copy = new Uint8Array(3)
  kernel.read?.(v + 100, copy)
  assert.deepEqual([...copy], [1, 9, 3])
  kernel.virtualFree(v, 0, RELEASE)
})

it(`tells the right error ${CALLS} times during allocation, collection and failing file calls`, () => {
  const v = kernel.virtualAlloc(0, 65536, RESERVE, READWRITE)
  let junk: unknown[] = []
  const wrong = new Map<number, number>()
  const expect = (answer: number, expected: number): void => {
    if (answer !== expected) wrong.set(answer, (wrong.get(answer) ?? 0) + 1)
  }
  for (let i = 0; i < CALLS; i += 4) {
    expect(kernel.virtualAlloc(v, 65536, RESERVE, READWRITE), -487)
    junk.push(Array.from({ length: 100 }, () => i))
    expect(kernel.virtualFree(v, 65536, RELEASE), -87)
    if (i % 400 === 0) {
      try {
        readFileSync('M:\\no\\such\\file')
      } catch {
        junk = [new ArrayBuffer(2 ** 22)]
      }
    }
    expect(kernel.virtualAlloc(v, 65536, 0, READWRITE), -87)
    expect(kernel.virtualFree(v + 4096, 0, RELEASE), -487)
  }
  assert.deepEqual([...wrong], [])
  assert.equal(kernel.virtualFree(v, 0, RELEASE), 0)
})

it('tells whether Windows calls its memory low', () => {
  const told = kernel.pressure?.()
  assert.ok(told !== undefined)
  // Wine before version 10 need not have the notification.
  if (told !== null) assert.equal(typeof told.isLow, 'boolean')
  assert.deepEqual(kernel.pressure?.(), told)
})

it('is one kernel per thread', () => {
  assert.equal(windowsKernel(), kernel)
})
