// Tests `npm create @memlayer/backend` from the packed packages, in an empty folder. It creates, installs, builds and
// runs one backend of each kind. Each must conform, have a right API report, and work with core.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLab, run, runWell, type Lab } from '@memlayer/matrix'
import { isLong } from '@memlayer/witness'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const life = `
  const region = memory.reserve(2 ** 20, { name: 'rows' })
  region.commit(0, 65536)
  region.view(Uint8Array, 0, 65536).fill(7)
  region.unused(0, 65536)
  region.used(0, 65536)
  region.view(Uint8Array, 0, 1)
  region.free()
  memory.check()
  console.log(memory.os.name, memory.stat('rows').load())`

// Without a kernel option, a backend of another system than this must throw an error that asks for one.
const kinds = [
  { kind: 'posix-like', standsAlone: onLinux },
  { kind: 'reserve-commit', standsAlone: process.platform === 'win32' },
  { kind: 'break', standsAlone: onLinux },
  { kind: 'custom', standsAlone: true },
]

describe('npm create @memlayer/backend', () => {
  let lab: Lab
  beforeAll(async () => {
    lab = await openLab()
  })
  afterAll(async () => lab[Symbol.asyncDispose]())

  it.each(kinds.filter(({ kind }) => isLong || kind === 'custom'))(
    'creates a $kind backend that conforms and works with core',
    async ({ kind, standsAlone }) => {
      const into = lab.folder(kind)
      const name = `os-new-${kind}`
      const said = await lab.npm(into, ['create', '--yes', '@memlayer/backend', name, '--', '--kind', kind])
      expect(said).toContain(`Next:\n  cd ${name}\n`)
      const cwd = join(into, name)
      await lab.npm(cwd, ['install'])
      const tests = await lab.npm(cwd, ['test'])
      expect(tests).toMatch(/Test Files {2}3 passed \(3\)/)
      const report = await lab.npm(cwd, ['run', 'conformance'])
      console.log(report.trim().split('\n').at(-1))
      expect(report).toMatch(/ 0 fail: .* conforms in all cases that ran\.\n$/)
      await lab.npm(cwd, ['run', 'api:check'])
      await runWell(process.execPath, [join(cwd, 'node_modules/@changesets/cli/bin.js'), 'version'], { cwd })
      expect(readFileSync(join(cwd, 'CHANGELOG.md'), 'utf8')).toContain('## 0.1.0')

      writeFileSync(
        join(cwd, 'plug.mjs'),
        `import { createMemory } from '@memlayer/core'
      import { createOS } from '${name}'
      import { subject } from './test/subject.js'
      const memory = createMemory(createOS(${standsAlone ? '' : '{ kernel: subject.kernel({ seed: 1 }) }'}))${life}`,
      )
      expect(await runWell(process.execPath, ['plug.mjs'], { cwd })).toBe(`new-${kind} 0\n`)
      if (standsAlone) return
      writeFileSync(join(cwd, 'alone.mjs'), `import { createOS } from '${name}'; createOS()`)
      expect((await run(process.execPath, ['alone.mjs'], { cwd })).stderr).toMatch(
        /UsageError.*Pass a kernel: createOS\(\{ kernel \}\)/,
      )
    },
  )

  it('creates a backend that memlayer uses with the condition memlayer-os-custom', async () => {
    const cwd = join(lab.folder('custom'), 'os-new-custom')
    await lab.npm(cwd, ['pack'])
    const app = await lab.install('pinned', [
      'memlayer',
      `@memlayer/os-custom@file:${join(cwd, 'os-new-custom-0.1.0.tgz')}`,
    ])
    writeFileSync(
      join(app, 'app.mjs'),
      `import { memory } from 'memlayer'${life}\nconsole.log(JSON.stringify(memory.choice))`,
    )
    const lines = (await runWell(process.execPath, ['-C', 'memlayer-os-custom', 'app.mjs'], { cwd: app }))
      .trim()
      .split('\n')
    expect(lines[0]).toBe('new-custom 0')
    expect(JSON.parse(lines[1] ?? '')).toEqual({
      backend: '@memlayer/os-custom',
      how: 'pin',
      reason: 'the export condition memlayer-os-custom pins it',
    })
  })
})
