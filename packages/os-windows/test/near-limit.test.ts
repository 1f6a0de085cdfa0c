// Near a limit on committed memory, which is a counting port's or that of Wine's host. The tests are in
// windows/near-limit.ts.
import { describeOnWindows } from '@memlayer/wine'

const folder = import.meta.dirname
const dataLimit = 2 ** 30

describeOnWindows('os-windows near a limit', { folder, file: 'windows/near-limit.ts', timeout: 240_000 })
if (process.platform !== 'win32') {
  for (const [engine, nodeArgs] of [
    ['an engine with threads', []],
    ['an engine without threads', ['--single-threaded']],
  ] as const) {
    describeOnWindows(`os-windows near RLIMIT_DATA of Wine, ${engine}`, {
      folder,
      file: 'windows/near-limit.ts',
      timeout: 240_000,
      nodeArgs,
      dataLimit,
      env: { MEMLAYER_DATA_LIMIT: String(dataLimit) },
    })
  }
}
