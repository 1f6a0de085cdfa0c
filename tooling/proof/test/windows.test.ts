// os-windows conforms on the Windows kernel: see windows/conformance.ts.
import { describeOnWindows } from '@memlayer/wine'

describeOnWindows('os-windows on kernel32', {
  folder: import.meta.dirname,
  file: 'windows/conformance.ts',
  timeout: 110_000,
})
