// The host's own kernel, and what is mapped through it: for os-linux, which needs no other in its place.
// Like a stand-in it throws where a backend would reach memory that it was never given.
import { posixKernel } from '@memlayer/ffi'
import type { Address, PosixKernel } from '@memlayer/kernel'
import { Ranges } from './ranges.js'
import type { StandIn } from './stand-in.js'

const MAP_FIXED = 0x10

/** This Linux, with a count of what it has handed out. */
export function countedLinux(): StandIn {
  const host = posixKernel()
  const mapped = new Ranges()
  const demandOwn = (call: string, addr: Address, n: number): void => {
    if (mapped.covers(addr, addr + n)) return
    throw new Error(`${call}(0x${addr.toString(16)}, ${n}) reaches memory that this kernel has not mapped`)
  }
  const kernel: PosixKernel = {
    ...host,
    mmap(addr, length, prot, flags, fd, offset) {
      if ((flags & MAP_FIXED) !== 0) demandOwn('mmap', addr, length)
      const p = host.mmap(addr, length, prot, flags, fd, offset)
      if (p >= 0) mapped.add(p, p + length)
      return p
    },
    munmap(addr, length) {
      demandOwn('munmap', addr, length)
      const answer = host.munmap(addr, length)
      if (answer === 0) mapped.remove(addr, addr + length)
      return answer
    },
  }
  return { kernel, mappedBytes: () => mapped.bytes }
}
