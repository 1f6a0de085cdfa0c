// Makes the matrix's column of os-windows on kernel32. It runs on-windows.ts in Node for Windows.
import type { Report } from '@memlayer/conformance'
import { runOnWindows, whyNoWindows } from '@memlayer/wine'
import type { Column } from './matrix.js'

/** Returns the column, or the reason why this host can't make it. */
export async function windowsColumn(seed: number): Promise<Column | string> {
  const missing = whyNoWindows()
  if (missing !== null) return missing
  const { stdout, stderr, code } = await runOnWindows('on-windows.js', {
    folder: import.meta.dirname,
    args: [String(seed)],
    timeout: 300_000,
  })
  if (code !== 0) throw new Error(`on-windows.js in Node for Windows ended with code ${code}\n${stderr}`)
  return {
    name: `windows on kernel32${process.platform === 'win32' ? '' : ', under Wine'}`,
    report: JSON.parse(stdout) as Report,
  }
}
