// Random operations beside a shadow model: see windows/random.ts. MEMLAYER_SEED replays a walk.
import { describeOnWindows } from '@memlayer/wine'

describeOnWindows('os-windows, walked at random on kernel32', {
  folder: import.meta.dirname,
  file: 'windows/random.ts',
  timeout: 110_000,
})
