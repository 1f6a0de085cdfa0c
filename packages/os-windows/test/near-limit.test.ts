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
    // The layer asks whether more fits by a commit, which it gives back at once. A thread of the engine that asks for
    // memory at that moment would be refused, and the engine would end. This one has no threads of its own.
    nodeArgs: ['--single-threaded'],
    dataLimit,
    env: { MEMLAYER_DATA_LIMIT: String(dataLimit) },
  })
