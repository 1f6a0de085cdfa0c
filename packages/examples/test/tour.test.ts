// The tour, step by step: the output of `npm start` has the kernel's figures, and its exit code is the verdict.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { posixKernel } from '@memlayer/ffi'
import { tour } from '@memlayer/examples/tour'
import { describe, expect, it } from 'vitest'

const run = (kernel = posixKernel()) => {
  const lines: string[] = []
  return { disagreements: tour({ kernel, print: (text) => lines.push(text) }), lines }
}

describe.skipIf(process.platform !== 'linux')('the tour', () => {
  it('ends with both accounts in agreement on the real kernel', () => {
    const { disagreements, lines } = run()
    expect(disagreements).toEqual([])
    expect(lines.filter((text) => text.includes('  |'))).toHaveLength(9)
  })

  it('shows the resident memory of a filled range, and that giving half back halves it', () => {
    const { lines } = run()
    const rss = (step: string): string | undefined =>
      /\|\s+(\S+ \w+|0)/.exec(lines.find((text) => text.startsWith(step)) ?? '')?.[1]
    expect(rss('fill')).toBe('256 MiB')
    expect(rss('give')).toBe('128 MiB')
  })

  it('disagrees when advice does not reach the kernel', () => {
    const kernel = posixKernel()
    const { disagreements } = run({ ...kernel, madvise: () => 0 })
    expect(disagreements.join('\n')).toMatch(
      /give the middle half back: 128 MiB were written and kept, but the kernel holds 256 MiB/,
    )
    expect(disagreements.join('\n')).toMatch(/kept its bytes/)
  })

  it('disagrees when the addresses that a free keeps do not reach the kernel', () => {
    const kernel = posixKernel()
    const MAP_NORESERVE = 0x4000
    const mmap: typeof kernel.mmap = (v, n, prot, flags, fd, offset) =>
      (flags & MAP_NORESERVE) === 0 ? kernel.mmap(v, n, prot, flags, fd, offset) : v
    const { disagreements } = run({ ...kernel, mmap })
    expect(disagreements.join('\n')).toMatch(
      /free all of it: Prepared, Ready and retired are 1 GiB, but the kernel maps 256\.0 MiB for access/,
    )
  })
})

describe.skipIf(process.platform !== 'linux')('npm start', () => {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

  /** Runs the program after a module that may change its kernel. */
  const start = (before = ''): { status: number | null; stdout: string; stderr: string } => {
    const preload = `import { posixKernel } from '${import.meta.resolve('@memlayer/ffi')}'; ${before}`
    return spawnSync(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(preload)}`, main], {
      encoding: 'utf8',
    })
  }

  it('ends with the verdict that the accounts agree, and with code 0', () => {
    const { status, stdout, stderr } = start()
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/\n\nThe two accounts agree after every step\.\n$/)
    expect(stdout).not.toContain('DISAGREE')
  })

  it('names each disagreement, and ends with code 1, when the kernel did not do what it said', () => {
    const { status, stdout, stderr } = start('posixKernel().madvise = () => 0')
    expect([status, stderr]).toEqual([1, ''])
    expect(stdout).toMatch(
      /^DISAGREE {2}give the middle half back: 128 MiB were written and kept, but the kernel holds 256 MiB$/m,
    )
    const said = stdout.match(/^DISAGREE /gm)?.length
    expect(stdout).toMatch(new RegExp(`\\n\\nThe two accounts disagree ${said} times\\. .*\\n$`))
  })
})
