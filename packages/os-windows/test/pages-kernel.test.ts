// The kernel under the tests of faults and bad input behaves like kernel32: see windows/pages-kernel.ts.
import { describeOnWindows } from '@memlayer/wine'

describeOnWindows('the tests’ own kernel', { folder: import.meta.dirname, file: 'windows/pages-kernel.ts' })
