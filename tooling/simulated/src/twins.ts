// Compares two kernels that should behave alike. It makes every call on the real Linux and on the simulated one, and
// compares their answers and their memory.
import type { PosixKernel } from '@memlayer/kernel'
import type { SimulatedPosixKernel } from '@memlayer/simkernel'
import { partsOf, type Arena } from './arena.js'
import { KernelAccount } from './kernel-account.js'
import type { RandomCall } from './random-calls.js'

/** The differences, as lines that name the kernel. */
export type Disagreement = readonly string[]

// The VmFlags that the simulator has. The kernel shows more flags, which follow from the permissions.
const attributes: ReadonlySet<string> = new Set(['lo', 'sr', 'rr', 'dc', 'ac', 'nr', 'wf', 'dd', 'hg', 'nh', 'mg'])

/** A real kernel and a simulated one, over one arena. */
export class Twins {
  readonly #real: PosixKernel
  readonly #simulated: SimulatedPosixKernel
  readonly #arena: Arena
  readonly #end: number
  readonly #account: KernelAccount
  readonly #words: BigInt64Array
  #missedHugePage = false

  constructor(real: PosixKernel, simulated: SimulatedPosixKernel, arena: Arena) {
    this.#real = real
    this.#simulated = simulated
    this.#arena = arena
    this.#end = partsOf(arena).large[1]
    this.#account = new KernelAccount(arena.base, this.#end)
    // This view exists from the start, over mapped and unmapped pages. The code touches only Ready words.
    this.#words = new BigInt64Array(real.view(arena.base, this.#end - arena.base))
  }

  /** Makes a call on both kernels. Returns the differences and the answer, or `null` for a write that it skipped. */
  make(call: RandomCall): { readonly disagreement: Disagreement; readonly answer: number } | null {
    if (call.fn === 'write') return this.#write(call.args[0] ?? 0, call.args[1] ?? 0)
    const [, n = 0] = call.args
    const real = callOn(this.#real, call)
    const simulated = callOn(this.#simulated, call)
    if (real >= 0 && simulated >= 0 && call.fn === 'mmap' && !this.#isInside(real) && !this.#isInside(simulated)) {
      return { disagreement: this.#elsewhere(real, simulated, n), answer: 0 }
    }
    const disagreement = real === simulated ? [] : [`real ${real}`, `simulated ${simulated}`]
    return { disagreement: [...disagreement, ...this.#maps()], answer: Math.min(simulated, 0) }
  }

  /**
   * Compares resident pages and attributes. This is slow, so not after each call. `huge`: also the large part, as long
   * as the real kernel got the huge pages that the simulated one has.
   */
  residence(huge: boolean): Disagreement {
    const end = huge && !this.#missedHugePage ? this.#end : partsOf(this.#arena).small[1]
    const real = this.#account
      .smaps()
      .filter(({ start }) => start < end)
      .map((shown) => ({ ...shown, flags: shown.flags.filter((flag) => attributes.has(flag)) }))
    // Linux may take forfeit pages when the host is short of memory. The simulated host never is.
    const simulated = this.#simulated.maps().filter(({ start }) => start < end)
    const disagreement = compare(
      real.map((shown) => this.#line(shown)),
      simulated.map((shown) => this.#line(shown)),
    )
    // Linux frees an empty page table only if it gets a lock at once. Where the table stays, no huge page comes.
    if (disagreement.length === 0 || !this.#lacksHugePages(real, simulated)) return disagreement
    this.#missedHugePage = true
    return []
  }

  /** Whether the real kernel has missed a huge page, which it may. Then its large part is no longer compared. */
  get missedHugePage(): boolean {
    return this.#missedHugePage
  }

  /** Whether all differences are mappings in which the real kernel has fewer huge pages, and no more memory. */
  #lacksHugePages(real: readonly Shown[], simulated: readonly Shown[]): boolean {
    if (real.length !== simulated.length) return false
    return real.every((shown, i) => {
      const other = simulated[i] as Shown
      if (this.#line(shown) === this.#line(other)) return true
      const { huge, resident } = other
      const isAlike = this.#line({ ...shown, huge, resident }) === this.#line(other)
      return isAlike && shown.huge < huge && shown.resident <= resident
    })
  }

  /** Compares the first words of all readable pages. */
  contents(): Disagreement {
    const word = new Uint8Array(8)
    const found: string[] = []
    for (const { start, end, permissions } of this.#simulated.maps()) {
      if (permissions[0] !== 'r' || !this.#isInside(start)) continue
      for (let v = start; v < end; v += this.#arena.pageSize) {
        this.#simulated.read(v, word)
        const simulated = new DataView(word.buffer).getBigInt64(0, true)
        const real = this.#words[(v - this.#arena.base) / 8]
        if (real !== simulated)
          found.push(`at base + 0x${(v - this.#arena.base).toString(16)}: real ${real}, simulated ${simulated}`)
      }
    }
    return found
  }

  #write(v: number, value: number): { readonly disagreement: Disagreement; readonly answer: number } | null {
    const mapping = this.#simulated.maps().find(({ start, end }) => start <= v && v < end)
    // Both kernels have equal permissions here. Otherwise the run would have ended before.
    if (mapping === undefined || !mapping.permissions.startsWith('rw')) return null
    this.#words[(v - this.#arena.base) / 8] = BigInt(value)
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true)
    this.#simulated.write(v, bytes)
    return { disagreement: [], answer: 0 }
  }

  /** Both kernels chose an address outside of the arena. Another test compares it. This unmaps both again. */
  #elsewhere(real: number, simulated: number, length: number): Disagreement {
    const size = Math.ceil(length / this.#arena.pageSize) * this.#arena.pageSize
    const answers = [this.#real.munmap(real, size), this.#simulated.munmap(simulated, size)]
    return answers.every((answer) => answer === 0)
      ? this.#maps()
      : [`munmap: real ${answers[0]}, simulated ${answers[1]}`]
  }

  #maps(): Disagreement {
    const simulated = this.#simulated
      .maps()
      .filter(({ start }) => start < this.#end)
      .map(({ start, end, permissions }) => this.#account.line(start, end, permissions))
    return compare(this.#account.maps(), simulated)
  }

  #line({ start, end, permissions, resident, huge, flags }: Shown): string {
    const kib = (bytes: number): number => bytes / 1024
    const mapping = `${this.#account.line(start, end, permissions)} ${[...flags].sort().join(' ')}`
    return `${mapping}, ${kib(resident)} KiB resident, ${kib(huge)} huge`
  }

  #isInside(v: number): boolean {
    return v >= this.#arena.base && v < this.#end
  }
}

interface Shown {
  readonly start: number
  readonly end: number
  readonly permissions: string
  readonly resident: number
  readonly huge: number
  readonly flags: readonly string[]
}

function callOn(kernel: PosixKernel, { fn, args }: RandomCall): number {
  const [v = 0, n = 0, third = 0, flags = 0, fd = 0, offset = 0] = args
  switch (fn) {
    case 'mmap':
      return kernel.mmap(v, n, third, flags, fd, offset)
    case 'munmap':
      return kernel.munmap(v, n)
    case 'mprotect':
      return kernel.mprotect(v, n, third)
    default:
      return kernel.madvise(v, n, third)
  }
}

function compare(real: readonly string[], simulated: readonly string[]): Disagreement {
  if (real.join('\n') === simulated.join('\n')) return []
  return [
    ...real.filter((line) => !simulated.includes(line)).map((line) => `real       ${line}`),
    ...simulated.filter((line) => !real.includes(line)).map((line) => `simulated  ${line}`),
  ]
}
