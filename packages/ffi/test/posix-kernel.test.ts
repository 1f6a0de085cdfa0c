// The host's kernel: its facts are the host's own, and nothing loads before the first use.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { posixKernel } from '@memlayer/ffi'
import { runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const hugePageFile = '/sys/kernel/mm/transparent_hugepage/hpage_pmd_size'

describe.skipIf(!onLinux)('posixKernel (witnessed by /proc and /sys: needs Linux)', () => {
  it('has the page size that getconf prints', () => {
    expect(posixKernel().pageSize).toBe(Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' })))
  })

  it('has the huge page size of the kernel’s file, or 0 without that file', () => {
    const size = existsSync(hugePageFile) ? Number(readFileSync(hugePageFile, 'latin1')) : 0
    expect(posixKernel().hugePageSize).toBe(size)
  })

  it('returns the same kernel at every call', () => {
    expect(posixKernel()).toBe(posixKernel())
  })

  it('names its processor in Node’s words', () => {
    expect(posixKernel().arch).toBe(process.arch)
  })

  it('advises a range of 3 GiB to its end in a batch, where the kernel takes less than 2 GiB in a call', () => {
    const child = runChild(
      `
      import { posixKernel } from '@memlayer/ffi'
      const kernel = posixKernel()
      const [GiB, pageSize] = [2 ** 30, kernel.pageSize]
      // PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, MADV_DONTNEED
      const v = kernel.mmap(0, 4 * GiB, 3, 0x4022, -1, 0)
      const pages = [v, v + 2 * GiB, v + 3 * GiB - pageSize, v + 3 * GiB, v + 3 * GiB + 2 * pageSize]
      for (const page of pages) kernel.write(page, Uint8Array.of(7))
      const answer = kernel.madviseAll([v, 3 * GiB, v + 3 * GiB + 2 * pageSize, pageSize], 4)
      const byteAt = (page) => { const target = new Uint8Array(1); kernel.read(page, target); return target[0] }
      console.log(JSON.stringify({ answer, bytes: pages.map(byteAt) }))
      `,
      { from: import.meta.dirname },
    )
    const { answer, bytes } = JSON.parse(child.stdout) as { answer: number; bytes: number[] }
    // Before Linux 6.13 the kernel refuses all of it: EPERM, EINVAL or ENOSYS.
    expect([0, -1, -22, -38]).toContain(answer)
    expect(bytes).toEqual(answer === 0 ? [0, 0, 0, 7, 0] : [7, 7, 7, 7, 7])
  })

  it('loads nothing native until the first use', () => {
    const child = runChild(
      `
      import { readFileSync } from 'node:fs'
      import { plan9Kernel, posixKernel } from '@memlayer/ffi'
      const lines = () => readFileSync('/proc/self/maps', 'latin1').split('\\n')
      const native = () => lines().filter((line) => line.endsWith('.node')).length
      const before = native()
      posixKernel()
      console.log(JSON.stringify({ before, isLoaded: native() > 0 }))
      `,
      { from: import.meta.dirname },
    )
    expect(child.stderr).toBe('')
    expect(JSON.parse(child.stdout)).toEqual({ before: 0, isLoaded: true })
  })

  it('shows the bytes themselves, so that one view reads what another wrote', () => {
    const kernel = posixKernel()
    const { pageSize } = kernel
    const v = kernel.mmap(0, 2 * pageSize, 3, 0x22, -1, 0)
    new Uint8Array(kernel.view(v, 2 * pageSize))[pageSize] = 7
    expect(new Uint8Array(kernel.view(v + pageSize, pageSize))[0]).toBe(7)
    expect(kernel.munmap(v, 2 * pageSize)).toBe(0)
  })

  it('tells the limits in force', () => {
    const child = runChild(
      `
      import { posixKernel } from '@memlayer/ffi'
      const { addressSpace, addressSpaceUsed, maxMappings, mappings, overcommit } = posixKernel().limits()
      const [isUsed, hasMappings] = [addressSpaceUsed > 2 ** 20, mappings > 10]
      console.log(JSON.stringify({ addressSpace, isUsed, maxMappings, hasMappings, overcommit }))
      `,
      { from: import.meta.dirname, under: ['prlimit', `--as=${2 ** 40}`] },
    )
    expect(child.stderr).toBe('')
    expect(JSON.parse(child.stdout)).toEqual({
      addressSpace: 2 ** 40,
      isUsed: true,
      maxMappings: Number(readFileSync('/proc/sys/vm/max_map_count', 'latin1')),
      hasMappings: true,
      overcommit: Number(readFileSync('/proc/sys/vm/overcommit_memory', 'latin1')),
    })
  })
})
