// How long residency() takes for 1 GiB, in Node for Windows. main.ts prints it. A test holds no time, because machines
// differ.
import { runOnWindows } from '@memlayer/wine'

/** What windows/residency.ts prints. */
export interface Speed {
  readonly node: string
  /** The median of several looks. */
  readonly milliseconds: number
  /** The bytes that it found to be resident. */
  readonly resident: number
}

const { code, stdout, stderr } = await runOnWindows('windows/residency.js', { folder: import.meta.dirname })
if (code !== 0) throw new Error(`windows/residency.js ended with ${code}:\n${stderr}${stdout}`)
console.log(stdout.trim())
