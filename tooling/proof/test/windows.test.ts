// Tests that os-windows conforms on kernel32. The tests are in windows/conformance.ts.
import { describeOnWindows } from '@memlayer/wine'

describeOnWindows('os-windows on kernel32', {
  folder: import.meta.dirname,
  file: 'windows/conformance.ts',
  timeout: 110_000,
})
