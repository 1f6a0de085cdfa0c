// A life on every simulated kernel, told as text. Node and a browser run it alike.
import { simulate, simulatedOSes, type SimulatedPosixOS } from '@memlayer/simkernel'

const anonymous: Readonly<Record<SimulatedPosixOS, number>> = {
  linux: 0x20,
  darwin: 0x1000,
  freebsd: 0x1000,
  dragonfly: 0x1000,
  netbsd: 0x1000,
  openbsd: 0x1000,
  solaris: 0x100,
  illumos: 0x100,
  aix: 0x10,
}

/** The text of each kernel about itself after the same calls, for one seed. */
export function lives(seed: number): string[] {
  return simulatedOSes.map((os) => {
    switch (os) {
      case 'windows':
        return liveWindows(seed)
      case 'plan9': {
        const kernel = simulate(os, { seed })
        kernel.brk(kernel.end + 65536)
        kernel.write(kernel.end, new Uint8Array([1, 2, 3]))
        return kernel.describe()
      }
      case 'wasm': {
        const kernel = simulate(os, { seed })
        kernel.growMemory(3)
        return kernel.describe()
      }
      default:
        return livePosix(os, seed)
    }
  })
}

function livePosix(os: SimulatedPosixOS, seed: number): string {
  const kernel = simulate(os, { seed, pressure: 0.5 })
  const n = 64 * kernel.pageSize
  const v = kernel.mmap(0, n, 3, 2 | anonymous[os], -1, 0)
  new Uint8Array(kernel.view(v, n)).fill(7)
  kernel.view(v, n).transfer(0)
  for (const advice of [4, 5, 6, 7, 8]) kernel.madvise(v, n / 2, advice)
  kernel.mprotect(v + n / 4, n / 4, 0)
  for (let i = 0; i < 8; i++) kernel.touch(v, 1, 'read')
  kernel.munmap(v + n / 2, kernel.pageSize)
  const bytes = new Uint8Array(n / 4)
  kernel.read(v, bytes)
  return `${kernel.describe()}\n${bytes.reduce((sum, byte) => sum + byte, 0)}`
}

function liveWindows(seed: number): string {
  const kernel = simulate('windows', { seed })
  const v = kernel.virtualAlloc(0, 2 ** 20, 0x2000, 4)
  kernel.virtualAlloc(v + 65536, 65536, 0x1000, 4)
  new Uint8Array(kernel.view(v + 65536, 4096)).fill(7)
  kernel.virtualFree(v + 65536 + 4096, 4096, 0x4000)
  return kernel.describe()
}
