// The kernel that faults and bad input are tested over is as kernel32 is: see windows/pages-kernel.ts.
import { describeOnWindows } from '@memlayer/wine'

describeOnWindows('the kernel of our own', { folder: import.meta.dirname, file: 'windows/pages-kernel.ts' })
