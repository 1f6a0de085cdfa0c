// Tests several copies of core in one process. A warning appears once and names the place of each copy.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runChild } from '@memlayer/witness'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')

describe('several copies of core', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'memlayer-copies-'))
    for (const copy of ['one', 'two']) {
      mkdirSync(join(folder, copy, 'node_modules', '@memlayer'), { recursive: true })
      cpSync(join(root, 'dist'), join(folder, copy, 'core'), { recursive: true })
      cpSync(
        join(root, 'node_modules', '@memlayer', 'kernel'),
        join(folder, copy, 'node_modules', '@memlayer', 'kernel'),
        {
          recursive: true,
          dereference: true,
          filter: (source) => !/kernel[\\/](node_modules|test)/.test(source),
        },
      )
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const os = `
    const calls = ['Alloc', 'Unused', 'Used', 'HugePage', 'Free', 'Fault', 'Reserve', 'Map']
    const names = [...calls.map((call) => 'sys' + call + 'OS'), 'view']
    const os = Object.fromEntries(names.map((name) => [name, () => null]))
    os.traits = { pageSize: 4096 }`

  it('cause one warning at the second copy’s first memory, with their places and what to do', () => {
    const { code, stderr } = runChild(
      `import { createMemory } from './one/core/index.js'
       import { createMemory as another } from './two/core/index.js'
       ${os}
       createMemory(os); createMemory(os); another(os)`,
      { from: folder },
    )
    expect(code).toBe(0)
    expect(stderr.match(/MEMLAYER_TWO_CORES/g)).toHaveLength(1)
    expect(stderr).toMatch(/2 copies of @memlayer\/core/)
    expect(stderr).toMatch(/one\/core\/copies\.js/)
    expect(stderr).toMatch(/two\/core\/copies\.js/)
    expect(stderr).toContain('npm ls @memlayer/core')
  })

  it('are told from one file that was loaded twice, which no install can join', () => {
    const { code, stderr } = runChild(
      `import { createMemory } from './one/core/index.js'
       ${os}
       os.sysAllocOS = () => 2 ** 20
       // A loader that makes another instance of each file, as a module system for tests does.
       const { registerHooks } = process.getBuiltinModule('node:module')
       registerHooks({ resolve(specifier, context, next) {
         const { url, ...rest } = next(specifier, context)
         return { ...rest, url: /\\/one\\/core\\//.test(url) ? url + '?again' : url }
       } })
       const another = await import('./one/core/index.js')
       createMemory(os); const memory = another.createMemory(os)
       if (memory.sysAlloc(4096, null) !== 2 ** 20) throw new Error('the second instance does not work')`,
      { from: folder },
    )
    expect([code, stderr]).toEqual([0, expect.stringContaining('2 instances of @memlayer/core') as string])
    expect(stderr).toMatch(/from the same file[^]*jest\.resetModules/)
    expect(stderr).not.toContain('npm dedupe')
  })

  it('cause no warning when a backend alone uses the second instance of a file', () => {
    const { code, stderr } = runChild(
      `import { createMemory } from './one/core/index.js'
       ${os}
       const { registerHooks } = process.getBuiltinModule('node:module')
       registerHooks({ resolve(specifier, context, next) {
         const { url, ...rest } = next(specifier, context)
         return { ...rest, url: /\\/one\\/core\\//.test(url) ? url + '?again' : url }
       } })
       const another = await import('./one/core/index.js')
       another.checkOptions('createOS', {}, [])
       createMemory(os)`,
      { from: folder },
    )
    expect([code, stderr]).toEqual([0, ''])
  })

  it('are one file twice when a source map gives one of them the name of its source', () => {
    const { code, stderr } = runChild(
      `import { createMemory } from './one/core/index.js'
       ${os}
       const places = ['file:///app/core/dist/bundle.js:291:39', '/app/core/src/copies.ts:23:24']
         .map((place) => ({ stack: 'Error\\n    at noteCopy (' + place + ')' }))
       globalThis[Symbol.for('@memlayer/core')] = { places, memories: 1, told: false }
       places.push = () => 2
       createMemory(os)`,
      { from: folder },
    )
    expect([code, stderr]).toEqual([0, expect.stringContaining('2 instances of @memlayer/core') as string])
    expect(stderr).toContain('\n  file:///app/core/dist/bundle.js:291:39\n  /app/core/src/copies.ts:23:24\n')
  })

  it('take the errors of each other for their own', () => {
    const { code, stderr } = runChild(
      `import { createMemory, OutOfMemoryError, FatalError } from './one/core/index.js'
       import { OutOfMemoryError as TheirOutOfMemory, FatalError as TheirFatal } from './two/core/index.js'
       ${os}
       os.sysAllocOS = () => { throw new TheirOutOfMemory('none left', { hint: 'wait' }) }
       os.sysReserveOS = () => { throw new TheirFatal('broken') }
       const memory = createMemory(os)
       for (const [call, type, message] of [
         [() => memory.sysAlloc(4096, null), OutOfMemoryError, 'none left. wait'],
         [() => memory.sysReserve(null, 4096), FatalError, 'broken'],
       ]) {
         let thrown
         try { call() } catch (error) { thrown = error }
         if (!(thrown instanceof type) || thrown.message !== message) throw new Error('it threw ' + thrown)
       }`,
      { from: folder },
    )
    expect([code, stderr]).toEqual([0, ''])
  })

  it('cause no warning if there is only one copy', () => {
    const { code, stderr } = runChild(`import { createMemory } from './one/core/index.js'\n${os}\ncreateMemory(os)`, {
      from: folder,
    })
    expect([code, stderr]).toEqual([0, ''])
  })
})
