// Go's own process and this one, as Wine logs their Nt calls. The recording is golden's.
import { data } from '@memlayer/golden'
import { needsWindows, runOnWindows } from '@memlayer/wine'
import { describe, expect, it } from 'vitest'

const MARK = '0x5a5a0000'

/** The calls as `Free base+4096 12288 4000`, with addresses relative to the start of the region. */
function callsOf(lines: readonly string[]): string[] {
  let base: number | null = null
  return lines.map((line) => {
    const [, fn = '', at = '', size = '', rest = ''] =
      /Nt(Allocate|Free)VirtualMemory 0xf+ (\S+) (\S+) (.*)$/.exec(line) ?? []
    const bytes = Number.parseInt(size, 16)
    if (at === '(nil)') return `${fn} anywhere ${bytes} ${rest}`
    const address = Number(at)
    base ??= address
    const call = `${fn} base+${address - base} ${bytes} ${rest}`
    // A release ends the region. The next may begin anywhere.
    if (rest === '8000') base = null
    return call
  })
}

describe('os-windows, as Wine logs it', () => {
  it('makes the Nt calls of a Go process in the same life', async (context) => {
    needsWindows(context)
    if (process.platform === 'win32') context.skip('needs Wine, because Windows logs no calls')
    const { code, stderr } = await runOnWindows('windows/life-of-a-region.ts', {
      folder: import.meta.dirname,
      wineDebug: '+virtual',
    })
    expect(code).toBe(0)
    const lines = stderr.split('\n').filter((line) => /:Nt(Allocate|Free)VirtualMemory 0xf+ /.test(line))
    const [thread] = (lines.find((line) => line.includes(MARK)) ?? '').split(':')
    const own = lines.filter((line) => line.startsWith(`${thread}:`))
    const marks = own.flatMap((line, i) => (line.includes(MARK) ? [i] : []))
    expect(marks).toHaveLength(2)

    const go = data('wine-go119-windows.txt')
      .split('\n')
      .filter((line) => line.startsWith('Nt'))
    expect(go.length).toBeGreaterThan(5)
    expect(callsOf(own.slice((marks[0] ?? 0) + 1, marks[1]))).toEqual(callsOf(go))
  })
})
