// Compares the simulated Windows with kernel32. The test is in windows/calls.ts. MEMLAYER_SEED replays a run.
import { describeOnWindows } from '@memlayer/wine'

describeOnWindows('the simulated Windows and kernel32', {
  folder: import.meta.dirname,
  file: 'windows/calls.ts',
  timeout: 110_000,
})
