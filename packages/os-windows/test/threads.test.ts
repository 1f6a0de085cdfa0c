// What ended workers leave on the Windows kernel: see windows/threads.ts.
import { describeOnWindows } from '@memlayer/wine'

describeOnWindows('os-windows: threads on kernel32', {
  folder: import.meta.dirname,
  file: 'windows/threads.ts',
  timeout: 120_000,
})
