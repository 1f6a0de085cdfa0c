// Scripts that end between any two instructions, in random operations: by vm's timeout, and at the end of the stack.
// The account holds afterwards, no view lies over what is not Ready, nothing is Ready without pages, and all of it can
// be freed. MEMLAYER_SCRIPTS sets how many scripts end on each Node and in each way.
import { isLong, otherNode, runChild, testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { program, workersProgram } from './interrupted-scripts.js'

const workers = 24
const scripts = Number(process.env['MEMLAYER_SCRIPTS'] ?? 300)

describe.skipIf(process.platform !== 'linux').each(isLong ? ['node22', 'this Node', 'node26'] : ['this Node'])(
  'scripts that end anywhere, on %s (need Linux)',
  (name) => {
    it.for(['timeout', 'stack'])('leave an account that is right: %s', { timeout: 900_000 }, (kind, context) => {
      const seed = testSeed()
      const child = runChild(program, {
        from: import.meta.dirname,
        node: name === 'this Node' ? process.execPath : otherNode(name, import.meta.url, context),
        args: [kind, String(scripts), String(seed)],
        timeout: 900_000,
      })
      expect({ seed, ...child }).toMatchObject({ code: 0, signal: null, stderr: '' })
      const { ended, wrong, retired } = JSON.parse(child.stdout) as { ended: number; wrong: unknown[]; retired: number }
      expect({ seed, wrong }).toEqual({ seed, wrong: [] })
      // Scripts that are not stopped, and frees that keep nothing, would prove nothing.
      expect(ended).toBeGreaterThan(scripts / 2)
      expect(retired).toBeGreaterThan(0)
    })

    it('leave an account that is right: terminate() of workers that share', { timeout: 300_000 }, (context) => {
      const child = runChild(workersProgram(false), {
        from: import.meta.dirname,
        node: name === 'this Node' ? process.execPath : otherNode(name, import.meta.url, context),
        args: [String(workers)],
        timeout: 300_000,
      })
      expect(child).toMatchObject({ code: 0, signal: null, stderr: '' })
      // Each had pages when its owner first asked for them.
      expect(JSON.parse(child.stdout)).toEqual({ wrong: [], refused: workers, ranges: 0 })
    })
  },
)

it.skipIf(process.platform !== 'linux')(
  'workers that make views are terminated at any moment, over node:ffi (needs Linux)',
  { timeout: 300_000 },
  (context) => {
    const child = runChild(workersProgram(true), {
      from: import.meta.dirname,
      node: otherNode('node26', import.meta.url, context),
      nodeArgs: ['--no-addons', '--experimental-ffi', '--no-warnings'],
      args: [String(workers)],
      timeout: 300_000,
    })
    expect(child).toMatchObject({ code: 0, signal: null, stderr: '' })
    expect(JSON.parse(child.stdout)).toEqual({ wrong: [], refused: workers, ranges: 0 })
  },
)
