// Makes the matrix's columns of os-windows and os-engine on kernel32. It runs on-windows.ts in Node for Windows.
import { runOnWindows, whyNoWindows } from '@memlayer/wine'
import type { Column } from './matrix.js'

/** Returns the columns, or the reason why this host can't make them. */
export async function windowsColumns(seed: number): Promise<readonly Column[] | string> {
  const missing = whyNoWindows()
  if (missing !== null) return missing
  const isWine = process.platform !== 'win32'
  const { stdout, stderr, code } = await runOnWindows('on-windows.js', {
    folder: import.meta.dirname,
    args: [String(seed), ...(isWine ? ['wine'] : [])],
    timeout: 600_000,
  })
  if (code !== 0) throw new Error(`on-windows.js in Node for Windows ended with code ${code}\n${stderr}`)
  const where = isWine ? ', under Wine' : ''
  return (JSON.parse(stdout) as Column[]).map(({ name, report }) => ({ name: `${name}${where}`, report }))
}
