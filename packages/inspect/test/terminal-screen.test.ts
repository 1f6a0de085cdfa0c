// The terminal as a screen: it fits, leaves no traces, and what is not a terminal gets plain text.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { text as textOf } from 'node:stream/consumers'
import { stripVTControlCharacters } from 'node:util'
import { createMemory, type Memory } from '@memlayer/core'
import { drawTerminal, showTerminal, takeSnapshot, type LogEntry } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-js'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const escape = '\u001B'
const [enter, leave] = [`${escape}[?1049h${escape}[?25l`, `${escape}[?25h${escape}[?1049l`]

/** A memory with more regions than any terminal has lines. */
function crowded(): Memory {
  const memory = createMemory(createOS())
  const { pageSize } = memory.os.traits
  for (let i = 0; i < 80; i++) memory.reserve(2 * pageSize, { name: `region ${i}` }).commit(0, pageSize)
  return memory
}

/** A terminal of so many columns and lines. It knows the few escapes that a view needs, and counts what scrolls. */
class Terminal {
  readonly isTTY = true
  readonly columns: number
  readonly rows: number
  readonly written: string[] = []
  lines: string[] = []
  scrolled = 0

  constructor(columns: number, rows: number) {
    ;[this.columns, this.rows] = [columns, rows]
  }

  readonly write = (text: string): void => {
    this.written.push(text)
    let at = 0
    // oxlint-disable-next-line no-control-regex -- escapes begin with a control character
    for (const [piece] of text.matchAll(/\u001B\[[?\d]*[A-Za-z]|\r\n|[^\u001B\r]+/g)) {
      if (piece === `${escape}[H`) at = 0
      else if (piece === `${escape}[J`) this.lines.length = Math.min(this.lines.length, at + 1)
      else if (piece === `${escape}[K` || piece.startsWith(`${escape}[`)) continue
      else if (piece === '\r\n') {
        at += 1
        this.lines[at] = ''
        if (at >= this.rows) this.scrolled += 1
      } else this.lines[at] = at === 0 || this.lines[at] === undefined ? piece : (this.lines[at] ?? '') + piece
    }
  }
}

let env: NodeJS.ProcessEnv
beforeEach(() => {
  env = { ...process.env }
  delete process.env['NO_COLOR']
  process.env['TERM'] = 'xterm-256color'
})
afterEach(() => {
  process.env = env
  vi.useRealTimers()
})

describe('a terminal', () => {
  it('of 80 by 24 has the title, the key, the limit, regions and what was refused, and nothing scrolls', () => {
    vi.useFakeTimers()
    const memory = crowded()
    const terminal = new Terminal(80, 24)
    const view = showTerminal(memory, { output: terminal })
    expect(() => memory.reserve(2 ** 45)).toThrow(/reserve/)
    vi.advanceTimersByTime(3000)
    const shown = terminal.lines.map((one) => stripVTControlCharacters(one))
    expect(terminal.scrolled).toBe(0)
    expect(shown.length).toBeLessThanOrEqual(24)
    expect(shown[0]).toMatch(/^memlayer on js, pages of .*, 80 regions$/)
    expect(shown[1]).toMatch(/^\. Reserved .* - Prepared .* # Ready/)
    expect(shown[3]).toMatch(/^limit /)
    expect(shown.some((one) => /^region +size +Ready/.test(one))).toBe(true)
    expect(shown.some((one) => /^and \d+ more regions$/.test(one))).toBe(true)
    expect(shown.some((one) => one.startsWith('sysReserve(anywhere, 32 TiB)'))).toBe(true)
    // The whole view is on the alternate screen, and the cursor comes back.
    expect(terminal.written[0]).toBe(enter)
    view.close()
    view.close()
    expect(terminal.written.at(-1)).toBe(leave)
    expect(terminal.written.filter((one) => one === leave)).toHaveLength(1)
    expect(process.listenerCount('SIGTERM')).toBe(0)
  })

  it('of any size is never overfull, and keeps the totals longest', () => {
    const memory = crowded()
    const refused: LogEntry = {
      at: 1,
      op: 'sysReserve',
      address: null,
      size: 1,
      category: null,
      region: null,
      outcome: 'refused',
      answer: 'no',
    }
    const snapshot = { ...takeSnapshot(memory, { explain: true }), log: [refused] }
    for (let rows = 1; rows <= 60; rows++) {
      for (const columns of [1, 20, 39, 80, 132, 200]) {
        const lines = drawTerminal(snapshot, columns, false, [], rows)
        expect([columns, rows, lines.length <= rows]).toEqual([columns, rows, true])
        expect(lines.every((one) => one.length <= columns)).toBe(true)
        if (columns >= 39) expect(lines[0]).toMatch(/^memlayer on/)
      }
    }
    expect(drawTerminal(snapshot, 80, false, [], 60)).toEqual(drawTerminal(snapshot, 80, false, []))
  })

  it('with NO_COLOR has no colours, with TERM=dumb no escapes at all, and a pipe has none', () => {
    const memory = crowded()
    const shown = (output: Terminal): string => {
      showTerminal(memory, { output }).close()
      return output.written.join('')
    }
    const plain = Object.defineProperty(new Terminal(80, 24), 'isTTY', { value: false })
    expect(shown(plain)).not.toContain(escape)
    // What has no height is not cut.
    expect(shown(plain)).toContain('and 70 more regions')
    expect(shown(new Terminal(80, 24))).toContain(`${escape}[32m`)
    process.env['NO_COLOR'] = '1'
    const bare = shown(new Terminal(80, 24))
    expect(bare).toContain(enter)
    // oxlint-disable-next-line no-control-regex -- the test looks for them
    expect(bare).not.toMatch(/\u001B\[\d+m/)
    process.env['TERM'] = 'dumb'
    expect(shown(new Terminal(80, 24))).not.toContain(escape)
  })

  it('that tells no size has 80 columns and 24 lines', () => {
    const memory = crowded()
    const output = new Terminal(0, 0)
    showTerminal(memory, { output }).close()
    const lines = (output.written[1] ?? '').split('\r\n').map((one) => stripVTControlCharacters(one))
    expect(lines.length).toBeGreaterThan(10)
    expect(lines.length).toBeLessThanOrEqual(24)
    expect(Math.max(...lines.map(({ length }) => length))).toBe(80)
  })

  it('refuses options that it does not know', () => {
    expect(() => showTerminal(crowded(), { out: process.stdout } as object)).toThrow(
      expect.objectContaining({ code: 'ERR_MEMLAYER_OPTION' }) as Error,
    )
  })
})

describe.skipIf(process.platform !== 'linux')('the end of a view', () => {
  it('by a signal puts the terminal back, and the signal ends the program as before', async () => {
    const code = `
      import { createMemory } from '@memlayer/core'
      import { showTerminal } from '@memlayer/inspect'
      import { createOS } from '@memlayer/os-js'
      const output = { isTTY: true, columns: 80, rows: 24, write: (text) => process.stdout.write(text) }
      showTerminal(createMemory(createOS()), { output })
      setInterval(() => {}, 1000)
    `
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      cwd: new URL('..', import.meta.url),
      env: { ...process.env, TERM: 'xterm' },
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 20_000,
    })
    const [stdout, ended] = [textOf(child.stdout), once(child, 'exit')]
    await once(child.stdout, 'data')
    child.kill('SIGTERM')
    expect(await ended).toEqual([null, 'SIGTERM'])
    const text = await stdout
    expect(text.startsWith(enter)).toBe(true)
    expect(text.endsWith(leave)).toBe(true)
  })

  it('of the command leaves no traces in a real terminal', (ctx) => {
    const command = `stty cols 80 rows 24; exec ${process.execPath} dist/cli.js demo --terminal --seconds=2`
    const { stdout, error } = spawnSync('script', ['-qec', command, '/dev/null'], {
      cwd: new URL('..', import.meta.url),
      encoding: 'utf8',
      env: { ...process.env, TERM: 'xterm' },
      timeout: 20_000,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    if (error !== undefined) return ctx.skip('needs the program script: apt-get install bsdutils')
    const text = stdout.replaceAll('\r\r\n', '\r\n')
    expect(text.startsWith(enter)).toBe(true)
    expect(text.trimEnd().endsWith(leave)).toBe(true)
    const frames = text.split(`${escape}[H`).slice(1)
    expect(frames.length).toBeGreaterThan(1)
    for (const frame of frames) expect(frame.split('\n').length).toBeLessThanOrEqual(24)
  })
})
