// Lists every backend over its simulated kernel. The tests of all backends use these rows.
import type { OS } from '@memlayer/core'
import type { Kernel } from '@memlayer/kernel'
import { createOS as aix } from '@memlayer/os-aix'
import { createOS as bsd } from '@memlayer/os-bsd'
import { createOS as darwin } from '@memlayer/os-darwin'
import { createOS as js } from '@memlayer/os-js'
import { createOS as linux } from '@memlayer/os-linux'
import { createOS as plan9 } from '@memlayer/os-plan9'
import { createOS as windows } from '@memlayer/os-windows'
import { simulate, type PlannedFault, type Simulated } from '@memlayer/simkernel'

/** The options of a simulated kernel in a test. */
export interface Made {
  readonly seed?: number
  readonly plan?: readonly PlannedFault[]
}

/** A backend and the kernel below it. */
export interface Pair {
  readonly os: OS
  readonly kernel: Kernel & Simulated
}

/** One backend with its simulated kernel. */
export interface Backend {
  readonly name: string
  make(options?: Made): Pair
}

function row<K extends Kernel & Simulated>(
  name: string,
  kernelOf: (made: Made) => K,
  createOS: (kernel: K) => OS,
): Backend {
  return {
    name,
    make(options = {}) {
      const kernel = kernelOf(options)
      return { os: createOS(kernel), kernel }
    },
  }
}

const flavors = ['freebsd', 'dragonfly', 'netbsd', 'openbsd', 'solaris', 'illumos'] as const

/** Every backend of the repository, with its important options. */
export const backends: readonly Backend[] = [
  row(
    'linux',
    (made) => simulate('linux', made),
    (kernel) => linux({ kernel }),
  ),
  row(
    'linux with MADV_FREE',
    (made) => simulate('linux', made),
    (kernel) => linux({ kernel, madvDontNeed: false }),
  ),
  row(
    'linux with hard decommit',
    (made) => simulate('linux', made),
    (kernel) => linux({ kernel, hardDecommit: true }),
  ),
  row(
    'linux on mips',
    (made) => simulate('linux', { ...made, arch: 'mipsel' }),
    (kernel) => linux({ kernel }),
  ),
  row(
    'linux of 64 KiB',
    (made) => simulate('linux', { ...made, pageSize: 65536 }),
    (kernel) => linux({ kernel }),
  ),
  row(
    'darwin',
    (made) => simulate('darwin', made),
    (kernel) => darwin({ kernel }),
  ),
  ...flavors.map((flavor) =>
    row(
      flavor,
      (made) => simulate(flavor, made),
      (kernel) => bsd({ kernel, flavor }),
    ),
  ),
  row(
    'aix',
    (made) => simulate('aix', made),
    (kernel) => aix({ kernel }),
  ),
  row(
    'windows',
    (made) => simulate('windows', made),
    (kernel) => windows({ kernel }),
  ),
  row(
    'plan9',
    (made) => simulate('plan9', made),
    (kernel) => plan9({ kernel }),
  ),
  row(
    'js',
    (made) => simulate('wasm', made),
    (kernel) => js({ kernel }),
  ),
]
