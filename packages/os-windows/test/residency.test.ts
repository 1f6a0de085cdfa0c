// Residency, limits and trimHost on the Windows kernel: see windows/residency.ts.
import { describeOnWindows } from '@memlayer/wine'

describeOnWindows('os-windows: what is resident, and what bounds it, on kernel32', {
  folder: import.meta.dirname,
  file: 'windows/residency.ts',
})
