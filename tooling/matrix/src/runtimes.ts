// The runtimes, and how each is started: what has to be chosen there, and what the reason has to say.
import { findEngine, type EngineName } from '@memlayer/engines'

/** A way of running a program. */
export interface Runtime {
  readonly engine: EngineName | 'node24'
  /** What it is started with. */
  readonly args: readonly string[]
  /** Of those, what a reader of the matrix is told. */
  readonly shown: string
  /** memory.choice.how. */
  readonly how: 'pin' | 'host' | 'fallback'
  /** What makes the foreign calls; `null`: nothing does, and os-js serves. */
  readonly calls: 'koffi' | 'node:ffi' | 'bun:ffi' | 'deno' | null
  /** What a fallback's reason has to name. */
  readonly says?: string
}

const onNode = (engine: Runtime['engine'], more: Partial<Runtime> = {}): Runtime => ({
  engine,
  args: [],
  shown: '',
  how: 'host',
  calls: 'koffi',
  ...more,
})

/** Every runtime that the suite is run on. */
export const runtimes: readonly Runtime[] = [
  onNode('node22'),
  onNode('node24'),
  onNode('node24', { args: ['-C', 'memlayer-os-linux'], shown: '-C memlayer-os-linux', how: 'pin' }),
  onNode('node24', { args: ['-C', 'memlayer-os-js'], shown: '-C memlayer-os-js', how: 'pin', calls: null }),
  onNode('node24', { args: ['--no-addons'], shown: '--no-addons', how: 'fallback', calls: null, says: '--no-addons' }),
  onNode('node24', {
    args: ['--permission', '--allow-fs-read=*', '--allow-worker'],
    shown: '--permission',
    how: 'fallback',
    calls: null,
    says: '--allow-addons',
  }),
  onNode('node26'),
  onNode('node26', {
    args: ['--no-addons', '--disable-warning=ExperimentalWarning'],
    shown: '--no-addons',
    calls: 'node:ffi',
  }),
  onNode('node26', {
    args: [
      '--permission',
      '--allow-ffi',
      '--allow-fs-read=*',
      '--allow-worker',
      '--disable-warning=ExperimentalWarning',
    ],
    shown: '--permission --allow-ffi',
    calls: 'node:ffi',
  }),
  { engine: 'bun', args: [], shown: '', how: 'host', calls: 'bun:ffi' },
  { engine: 'deno', args: ['run', '--no-prompt', '--allow-all'], shown: '--allow-all', how: 'host', calls: 'deno' },
  { engine: 'deno', args: ['run', '--no-prompt'], shown: '', how: 'fallback', calls: null, says: '--allow-ffi' },
]

/** The program of a runtime; `null`: it is not to be had on this host. */
export function programOf(engine: Runtime['engine']): string | null {
  return engine === 'node24' ? process.execPath : (findEngine(engine)?.command ?? null)
}
