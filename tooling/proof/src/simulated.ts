// Every backend of the repository over its simulated kernel, with its important options. Each is a subject of the
// conformance suite.
import type { KernelOptions, Subject } from '@memlayer/conformance'
import type { OS } from '@memlayer/core'
import type { Kernel } from '@memlayer/kernel'
import { createOS as aix } from '@memlayer/os-aix'
import { createOS as bsd } from '@memlayer/os-bsd'
import { createOS as darwin } from '@memlayer/os-darwin'
import { createOS as js } from '@memlayer/os-js'
import { createOS as linux } from '@memlayer/os-linux'
import { createOS as plan9 } from '@memlayer/os-plan9'
import { createOS as windows } from '@memlayer/os-windows'
import { simulate } from '@memlayer/simkernel'

/** A subject without its kernel's type. The suite passes a kernel only back to the subject that made it. */
export type AnySubject = Subject & { readonly name: string }

/** Makes a subject. `kernel` makes its kernels. */
export function subjectOf<K extends Kernel>(
  name: string,
  kernel: (options: KernelOptions) => K,
  createOS: (options: { readonly kernel?: K | undefined }) => OS,
  facts: Pick<Subject, 'skip' | 'usedKeepsReady'> = {},
): AnySubject {
  const subject: Subject<K> & { readonly name: string } = {
    ...facts,
    name,
    kernel,
    createOS: (options) => createOS({ kernel: options.kernel ?? kernel({ seed: 1 }) }),
  }
  return subject
}

const flavors = ['freebsd', 'dragonfly', 'netbsd', 'openbsd', 'solaris', 'illumos'] as const

/** The cases with much free memory, by id or by part. os-plan9 reads it at each operation when it looks for bugs. */
const readsMuch = [
  'free/beyond-32-bits',
  'free/many-pieces',
  'free/parts-no-leak',
  'histories',
  'limits/last-units',
  'refusals/reused',
  'repeated/high-addresses',
  'sizes',
]

/** Every backend over its simulated kernel. */
export const simulatedSubjects: readonly AnySubject[] = [
  subjectOf('linux', (made) => simulate('linux', made), linux),
  subjectOf(
    'linux, MADV_FREE',
    (made) => simulate('linux', made),
    ({ kernel }) => linux({ kernel, madvDontNeed: false }),
  ),
  subjectOf(
    'linux, hard decommit',
    (made) => simulate('linux', made),
    ({ kernel }) => linux({ kernel, hardDecommit: true }),
    {
      // As in Go, sysUsed calls mmap over the whole range.
      usedKeepsReady: false,
    },
  ),
  subjectOf('linux, mips', (made) => simulate('linux', { ...made, arch: 'mipsel' }), linux),
  subjectOf('linux, 64 KiB pages', (made) => simulate('linux', { ...made, pageSize: 65536 }), linux),
  subjectOf('darwin', (made) => simulate('darwin', made), darwin),
  ...flavors.map((flavor) =>
    subjectOf(
      flavor,
      (made) => simulate(flavor, made),
      ({ kernel }) => bsd({ kernel, flavor }),
    ),
  ),
  subjectOf('aix', (made) => simulate('aix', made), aix),
  subjectOf('windows', (made) => simulate('windows', made), windows),
  subjectOf('plan9', (made) => simulate('plan9', made), plan9),
  subjectOf(
    'plan9, memDebug',
    (made) => simulate('plan9', made),
    ({ kernel }) => plan9({ kernel, memDebug: true }),
    { skip: Object.fromEntries(readsMuch.map((id) => [id, 'each operation reads all free memory, which takes long'])) },
  ),
  subjectOf('js', (made) => simulate('wasm', made), js),
  subjectOf('js, discarding', (made) => simulate('wasm', { ...made, discards: true }), js),
]
