// A demonstration that Node users know: thousands of Buffers are dropped and collected, but resident memory stays. The
// C library holds it, and one call gives it back. Run it with `node --expose-gc dist/buffers.js`.
import { setTimeout as sleep } from 'node:timers/promises'
import { createMemory, formatBytes, type Explanation, type Memory } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'

/** Resident memory after a step, and the memory that the C library keeps free. */
export interface Step {
  readonly name: string
  readonly resident: number
  readonly slack: number
}

/** Runs the demonstration: with the Buffers, without them, and after trimHost. */
export async function buffers(collect: () => void): Promise<Step[]> {
  const memory = createMemory(createOS())
  const steps: Step[] = []
  const note = (name: string): number => steps.push({ name, ...look(memory) })
  let kept: Buffer[] = Array.from({ length: 4096 }, () => Buffer.alloc(65536, 1))
  note(`${kept.length} Buffers of 64 KiB`)
  kept = []
  // After the collection, the engine frees them on a thread of its own.
  for (let i = 0; i < 3; i++) {
    collect()
    await sleep(200)
  }
  note('dropped and collected')
  memory.trimHost()
  note('trimHost()')
  return steps
}

function look(memory: Memory): { resident: number; slack: number } {
  const { resident, mallocSlack } = memory.explain() as Explanation
  return { resident, slack: mallocSlack }
}

if (import.meta.filename === process.argv[1] && process.platform === 'linux') {
  const collect = globalThis.gc
  if (collect === undefined) console.log('Run it with: node --expose-gc dist/buffers.js')
  else
    void buffers(() => void collect()).then((steps) => {
      for (const { name, resident, slack } of steps) {
        console.log(
          `${name.padEnd(24)}  resident ${formatBytes(resident)}, kept free by the C library ${formatBytes(slack)}`,
        )
      }
    })
}
