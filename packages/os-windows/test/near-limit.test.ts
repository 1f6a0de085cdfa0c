// Near a limit on committed memory, which is a counting port's or that of Wine's host. The tests are in
// windows/near-limit.ts.
import { describeOnWindows } from '@memlayer/wine'

const folder = import.meta.dirname
const dataLimit = 2 ** 30

describeOnWindows('os-windows near a limit', { folder, file: 'windows/near-limit.ts', timeout: 240_000 })
if (process.platform !== 'win32')
  describeOnWindows('os-windows near RLIMIT_DATA of Wine', {
    folder,
    file: 'windows/near-limit.ts',
    timeout: 240_000,
    // The layer asks for room by a commit, which it gives back at once, and this test looks at what is left in the same
    // way. An engine that compiles just then has no memory for it, and ends. This one does not compile, and has no
    // threads of its own.
    nodeArgs: ['--single-threaded', '--no-opt', '--no-maglev', '--no-sparkplug'],
    dataLimit,
    env: { MEMLAYER_DATA_LIMIT: String(dataLimit) },
  })
