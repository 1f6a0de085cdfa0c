// The engine's memory on the Windows kernel. The tests are in windows/life.ts and windows/buffers.ts.
import { describeOnWindows } from '@memlayer/wine'

const folder = import.meta.dirname
describeOnWindows('os-engine: a life on kernel32', { folder, file: 'windows/life.ts', timeout: 120_000 })
describeOnWindows('os-engine: buffers and workers on kernel32', {
  folder,
  file: 'windows/buffers.ts',
  timeout: 120_000,
})
