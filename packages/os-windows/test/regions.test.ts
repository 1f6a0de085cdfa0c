// Regions on the Windows kernel: see windows/regions.ts.
import { describeOnWindows } from '@memlayer/wine'

describeOnWindows('os-windows: regions on kernel32', { folder: import.meta.dirname, file: 'windows/regions.ts' })
