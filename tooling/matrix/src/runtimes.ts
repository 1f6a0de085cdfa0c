// Lists the runtimes and how to start each. It also lists the backend that memlayer must choose there, and what its
// reason must say.
import { findEngine, type EngineName } from '@memlayer/engines'

/** A way to run a program. */
export interface Runtime {
  readonly engine: EngineName | 'node24'
  /** The arguments that start it. */
  readonly args: readonly string[]
  /** The arguments that the matrix shows. */
  readonly shown: string
  /** The expected memory.choice.how. */
  readonly how: 'pin' | 'host' | 'fallback'
  /** The engine of the foreign calls, or `null` without foreign calls. memlayer then uses os-js. */
  readonly calls: 'koffi' | 'node:ffi' | 'bun:ffi' | 'deno' | null
  /** The text that a fallback's reason must contain. */
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

/** Every runtime that runs the suite. */
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

/** Returns the path of a runtime's program, or `null` if this host does not have it. */
export function programOf(engine: Runtime['engine']): string | null {
  return engine === 'node24' ? process.execPath : (findEngine(engine)?.command ?? null)
}
