// The matrix' column of os-windows on kernel32: on-windows.ts, run in Node for Windows.
import type { Report } from '@memlayer/conformance'
import { runOnWindows, whyNoWindows } from '@memlayer/wine'
import type { Column } from './matrix.js'

/** The column, or why there is none. */
export async function windowsColumn(seed: number): Promise<Column | string> {
  const missing = whyNoWindows()
  if (missing !== null) return missing
  const { stdout, stderr, code } = await runOnWindows('on-windows.js', {
    folder: import.meta.dirname,
    args: [String(seed)],
    timeout: 300_000,
  })
  if (code !== 0) throw new Error(`in Node for Windows: code ${code}\n${stderr}`)
  return {
    name: `windows on kernel32${process.platform === 'win32' ? '' : ', under Wine'}`,
    report: JSON.parse(stdout) as Report,
  }
}
