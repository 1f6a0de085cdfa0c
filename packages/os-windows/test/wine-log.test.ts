// Go's own process and this one, as Wine logs their Nt calls. The recording is golden's.
import { data } from '@memlayer/golden'
import { needsWindows, runOnWindows, type WindowsRunOptions } from '@memlayer/wine'
import { describe, expect, it, type TestContext } from 'vitest'

const MARK = '0x5a5a0000'
const HINT = 2 ** 40
// No life has a larger region. What lies further away is the engine's, which may compile code at any time.
const REGION_MAX = 2 ** 31

/** The calls as `Free base+4096 12288 4000`, with addresses relative to the start of the region. */
function callsOf(lines: readonly string[]): string[] {
  let base: number | null = null
  return lines.flatMap((line) => {
    const [, fn = '', at = '', size = '', rest = ''] =
      /Nt(Allocate|Free)VirtualMemory 0xf+ (\S+) (\S+) (.*)$/.exec(line) ?? []
    const bytes = Number.parseInt(size, 16)
    if (at === '(nil)') return `${fn} anywhere ${bytes} ${rest}`
    const address = Number(at)
    // A hint that the kernel refuses.
    if (address === HINT) return `${fn} hint ${bytes} ${rest}`
    base ??= address
    if (Math.abs(address - base) >= REGION_MAX) return []
    const call = `${fn} base+${address - base} ${bytes} ${rest}`
    // A release ends the region. The next may begin anywhere.
    if (rest === '8000') base = null
    return call
  })
}

/** What a life's thread called between the marks. */
async function logged(context: TestContext, file: string, options: Partial<WindowsRunOptions> = {}): Promise<string[]> {
  needsWindows(context)
  if (process.platform === 'win32') context.skip('needs Wine, because Windows logs no calls')
  const { code, stderr } = await runOnWindows(file, {
    folder: import.meta.dirname,
    wineDebug: '+virtual',
    ...options,
  })
  const lines = stderr.split('\n').filter((line) => /:Nt(Allocate|Free)VirtualMemory 0xf+ /.test(line))
  expect([code, stderr.split('\n').filter((line) => line.includes('Error'))]).toEqual([0, []])
  const [thread] = (lines.find((line) => line.includes(MARK)) ?? '').split(':')
  const own = lines.filter((line) => line.startsWith(`${thread}:`))
  const marks = own.flatMap((line, i) => (line.includes(MARK) ? [i] : []))
  expect(marks).toHaveLength(2)
  return callsOf(own.slice((marks[0] ?? 0) + 1, marks[1]))
}

describe('os-windows, as Wine logs it', () => {
  it('makes the Nt calls of a Go process in the same life', async (context) => {
    const go = data('wine-go119-windows.txt')
      .split('\n')
      .filter((line) => line.startsWith('Nt'))
    expect(go.length).toBeGreaterThan(5)
    expect(await logged(context, 'windows/life-of-a-region.ts')).toEqual(callsOf(go))
  })

  const lives = new Map(
    data('wine-go119-windows-refused.txt')
      .split('life ')
      .slice(1)
      .map((text) => {
        const [name = '', ...calls] = text.trim().split('\n')
        return [name, callsOf(calls)]
      }),
  )
  const refused = (context: TestContext, life: string): Promise<string[]> =>
    logged(context, 'windows/refused-lives.ts', { args: [life], dataLimit: 2 ** 30 })

  it.for(['reserve', 'alloc', 'crossing'])(
    'makes the Nt calls of a Go process where the kernel refuses: %s',
    async (life, context) => {
      const go = lives.get(life) ?? []
      expect(go.length).toBeGreaterThan(3)
      expect(await refused(context, life)).toEqual(go)
    },
  )

  it('asks once where memory is short, as the README says, and a Go process halves until it dies', async (context) => {
    const go = lives.get('commit') ?? []
    expect(go.length).toBeGreaterThan(100)
    const own = await refused(context, 'commit')
    expect(own.slice(0, 2)).toEqual(go.slice(0, 2))
    expect(own.slice(2)).toEqual(['Free base+0 0 8000'])
  })
})
