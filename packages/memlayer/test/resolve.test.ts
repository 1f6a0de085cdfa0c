// The choice, with made-up hosts and sources: which backend is chosen, and for which reason. When no backend can be
// used, the user is told what to do.
import type { OS } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import type { Backend, Source } from '../dist/backend.js'
import type { Environment } from '../dist/environment.js'
import { BackendError } from '../dist/errors.js'
import { resolve, type Resolved } from '../dist/resolve.js'

const linux = '@memlayer/os-linux'
const js = '@memlayer/os-js'

/** A backend with only a name. */
function backend(name: string): Backend {
  return { createOS: () => ({ name }) as OS }
}

class NoEngine extends Error {
  readonly code = 'ERR_MEMLAYER_NO_ENGINE'
  readonly reason = 'the engine is on strike'
  readonly hint = 'Start it with --please.'
}

function missing(name: string): Error {
  return Object.assign(new Error(`Cannot find module '${name}'\nRequire stack:\n- /app/${name}/x`), {
    code: 'MODULE_NOT_FOUND',
  })
}

/** A source with these backends. If an error is in the place of one, loading it throws that error. */
function auto(has: Readonly<Record<string, Backend | Error>>): Source {
  return {
    kind: 'auto',
    only: null,
    load(name) {
      const found = has[name] ?? missing(name)
      return found instanceof Error ? { error: found } : { backend: found }
    },
  }
}

const everything = auto(
  Object.fromEntries(
    ['aix', 'bsd', 'darwin', 'engine', 'js', 'linux', 'plan9', 'windows'].map((name) => [
      `@memlayer/os-${name}`,
      backend(name),
    ]),
  ),
)

interface Choosing extends Resolved {
  readonly warnings: readonly string[]
}

function choose(source: Source, environment: Partial<Environment> = {}): Choosing {
  const warnings: string[] = []
  const warn = (message: string, detail: string): void => void warnings.push(`${message}\n${detail}`)
  return { ...resolve(source, { platform: 'linux', asked: undefined, strict: false, ...environment, warn }), warnings }
}

function refusal(source: Source, environment: Partial<Environment> = {}): BackendError {
  try {
    choose(source, environment)
  } catch (error) {
    expect(error).toBeInstanceOf(BackendError)
    expect((error as BackendError).code).toBe('ERR_MEMLAYER_BACKEND')
    return error as BackendError
  }
  throw new Error('a choice was made')
}

describe('the backend of a host', () => {
  it.each([
    ['linux', 'linux'],
    ['android', 'linux'],
    ['win32', 'windows'],
    ['darwin', 'darwin'],
    ['freebsd', 'bsd'],
    ['openbsd', 'bsd'],
    ['netbsd', 'bsd'],
    ['dragonfly', 'bsd'],
    ['sunos', 'bsd'],
    ['aix', 'aix'],
  ])('on %s is os-%s, without a warning', (platform, name) => {
    const { choice, os, warnings } = choose(everything, { platform })
    expect(choice).toEqual({ backend: `@memlayer/os-${name}`, how: 'host', reason: `process.platform is ${platform}` })
    expect([os.name, warnings]).toEqual([name, []])
  })

  it('is loaded once, and no other backend is', () => {
    const asked: string[] = []
    choose({ ...everything, load: (name) => (asked.push(name), everything.load(name)) })
    expect(asked).toEqual([linux])
  })
})

describe('os-js as the fallback', () => {
  const fallbacks: readonly (readonly [string, Source, string | undefined, RegExp])[] = [
    [
      'an unknown platform',
      everything,
      'haiku',
      /no backend is known for the platform 'haiku'\. Make one with @memlayer\/create-backend/,
    ],
    ['a host without a platform', everything, undefined, /'unknown'/],
    [
      'a backend that is not installed',
      auto({ [js]: backend('js') }),
      'linux',
      /@memlayer\/os-linux is not installed\. Install it with: npm install @memlayer\/os-linux/,
    ],
    [
      'a bundle that was built without it',
      auto({ [js]: backend('js'), [linux]: new Error(`Dynamic require of "${linux}" is not supported`) }),
      'linux',
      /is not installed\. Install it with: npm install @memlayer\/os-linux/,
    ],
    [
      'a bundle that has no backend and no require()',
      { ...auto({ [js]: backend('js') }), isBundled: true },
      'linux',
      /neither in this bundle nor installed beside it\. Before you build .*rollup .*condition memlayer-os-linux\./,
    ],
    [
      'a build on Node that no export condition named',
      { kind: 'unnamed', only: js, load: () => ({ backend: backend('js') }) },
      'linux',
      /no export condition names\. Build with the export condition memlayer-os-linux, or with 'node'/,
    ],
    [
      'no engine for foreign calls',
      auto({
        [js]: backend('js'),
        [linux]: {
          createOS: () => {
            throw new NoEngine('no foreign calls')
          },
        },
      }),
      'linux',
      /foreign calls are not possible on this host: the engine is on strike\. Start it with --please\./,
    ],
  ]

  it.each(fallbacks)('replaces %s, says why and what to do, and warns once', (_, source, platform, says) => {
    const { choice, os, warnings } = choose(source, { platform })
    expect(choice).toMatchObject({ backend: js, how: 'fallback', reason: expect.stringMatching(says) as string })
    expect(choice.tried?.map(({ reason, hint }) => `${reason}. ${hint}`)).toEqual([choice.reason])
    expect(os.name).toBe('js')
    expect(warnings).toEqual([expect.stringMatching(says)])
    expect(warnings[0]).toContain('a memory of the JavaScript engine, because ')
    expect(warnings[0]).toMatch(/MEMLAYER_STRICT=1.*MEMLAYER_OS=js/)
  })

  it.each(fallbacks)('is an error instead under MEMLAYER_STRICT, for %s', (_, source, platform, says) => {
    expect(refusal(source, { platform, strict: true }).message).toMatch(says)
  })
})

describe('a backend that MEMLAYER_OS names', () => {
  it('is used without a warning: js and plan9 on any host, engine on three, and the host’s own', () => {
    for (const [platform, asked] of [
      ['win32', 'js'],
      ['linux', 'plan9'],
      ['linux', 'engine'],
      ['android', 'engine'],
      ['darwin', 'engine'],
      ['win32', 'engine'],
      ['linux', 'linux'],
    ] as const) {
      const { choice, os, warnings } = choose(everything, { platform, asked, strict: true })
      expect([choice.how, choice.reason, os.name, warnings]).toEqual([
        'asked',
        `the environment variable MEMLAYER_OS is ${asked}`,
        asked,
        [],
      ])
    }
  })

  it('is refused on another system, whose kernel has other constants', () => {
    const { message } = refusal(everything, { asked: 'aix' })
    expect(message).toMatch(/cannot use @memlayer\/os-aix on the platform 'linux', although .*MEMLAYER_OS=js/)
    expect(refusal(everything, { platform: 'freebsd', asked: 'engine' }).message).toMatch(
      /cannot use @memlayer\/os-engine on the platform 'freebsd'/,
    )
  })

  it('is an error when it does not exist, is not installed, or has no engine', () => {
    expect(refusal(everything, { asked: 'beos' }).message).toMatch(
      /MEMLAYER_OS is 'beos'.*one of aix, bsd, darwin, engine, js, linux, plan9, windows/,
    )
    expect(refusal(auto({ [js]: backend('js') }), { asked: 'plan9' }).message).toMatch(
      /npm install @memlayer\/os-plan9/,
    )
    const withoutEngine = auto({
      [js]: backend('js'),
      [linux]: {
        createOS: () => {
          throw new NoEngine('none')
        },
      },
    })
    const { message, cause } = refusal(withoutEngine, { asked: 'linux' })
    expect(message).toMatch(/MEMLAYER_OS is linux: .*--please/)
    expect(cause).toBeInstanceOf(NoEngine)
  })
})

describe('a backend that a module system does not give', () => {
  const failing = (error: unknown, isInstalled: boolean | null): Source => ({
    kind: 'auto',
    only: null,
    load: (name) => (name === linux ? { error } : { backend: backend('js') }),
    isInstalled: () => isInstalled,
  })

  it('is not installed when the resolver does not find it, whatever a package manager calls that', () => {
    const error = Object.assign(new Error('Required unplugged package missing from disk'), { code: 'MODULE_NOT_FOUND' })
    for (const isInstalled of [false, null]) {
      const { choice } = choose(failing(error, isInstalled))
      expect([choice.backend, choice.how]).toEqual([js, 'fallback'])
      expect(choice.reason).toMatch(/^the package @memlayer\/os-linux is not installed/)
    }
    expect(refusal(failing(error, true)).message).toMatch(/is installed but does not load/)
  })

  it('falls back when no require() takes an ES module, and the hint names the pin', () => {
    const error = Object.assign(new Error('Must use import'), { code: 'ERR_REQUIRE_ESM' })
    const { choice, warnings } = choose(failing(error, true))
    expect([choice.backend, choice.how]).toEqual([js, 'fallback'])
    expect(warnings.join('')).toMatch(/require\(\) takes no ES module here.*condition memlayer-os-linux.*Node 24\.9/)
    expect(refusal(failing(error, true), { asked: 'linux' }).cause).toBe(error)
  })
})

describe('a startup snapshot of Node', () => {
  it('holds no memory, so the first use while it is built is an error, whichever backend was asked for', () => {
    for (const asked of [undefined, 'js']) {
      const { message } = refusal(everything, { asked, isSnapshot: true })
      expect(message).toMatch(/while Node builds a startup snapshot.*setDeserializeMainFunction\(\)/)
    }
  })
})

describe('a build with one backend', () => {
  const only = (kind: 'pin' | 'only' | 'unnamed', name: string): Source => ({
    kind,
    only: `@memlayer/os-${name}`,
    load: () => ({ backend: backend(name) }),
  })

  it('uses it, and says what picked it', () => {
    expect(choose(only('pin', 'linux')).choice).toEqual({
      backend: linux,
      how: 'pin',
      reason: 'the export condition memlayer-os-linux pins it',
    })
    const { choice, warnings } = choose(only('only', 'js'), { platform: undefined })
    expect(choice).toEqual({
      backend: js,
      how: 'host',
      reason: "this build is for a host that can't load native code",
    })
    expect(warnings).toEqual([])
  })

  it('is os-js without a warning where no condition names a host that has no other, or js was asked for', () => {
    for (const environment of [{ platform: undefined }, { platform: 'browser' }, { platform: 'linux', asked: 'js' }]) {
      const { choice, warnings } = choose(only('unnamed', 'js'), environment)
      expect([choice.backend, choice.how, warnings]).toEqual([js, 'host', []])
    }
  })

  it('is refused on another system', () => {
    expect(refusal(only('pin', 'darwin')).message).toMatch(
      /os-darwin on the platform 'linux', although the export condition/,
    )
    // MEMLAYER_OS=js would be refused, because this build has no os-js.
    const { hint } = refusal(only('pin', 'darwin'))
    expect(hint).toMatch(/^Run or build with the export condition memlayer-os-js instead/)
    expect(hint).not.toContain('MEMLAYER_OS')
  })

  it('is an error when MEMLAYER_OS names another backend, but not when it names the same', () => {
    expect(refusal(only('pin', 'linux'), { asked: 'js' }).message).toMatch(/this build has only @memlayer\/os-linux/)
    expect(choose(only('pin', 'linux'), { asked: 'linux' }).choice.how).toBe('pin')
    // A build for a browser was not picked by an export condition that could be left out.
    expect(refusal(only('pin', 'linux'), { asked: 'js' }).hint).toMatch(/^Unset MEMLAYER_OS, or .*export condition/)
    expect(refusal(only('only', 'js'), { asked: 'linux' }).hint).toBe('Unset MEMLAYER_OS.')
  })
})

describe('a backend that is broken', () => {
  it.each([
    ['throws when it is imported', new TypeError('x is not a function')],
    [
      'misses a package of its own',
      Object.assign(
        new Error("Cannot find package '@memlayer/ffi' imported from /app/node_modules/@memlayer/os-linux/dist/mem.js"),
        { code: 'ERR_MODULE_NOT_FOUND' },
      ),
    ],
    ['throws a value that is not an Error', 'thrown' as unknown as Error],
  ])('and %s causes no fallback: its error is reported, and is the cause', (_, error) => {
    const source: Source = {
      kind: 'auto',
      only: null,
      load: (name) => (name === linux ? { error } : { backend: backend('js') }),
      isInstalled: () => true,
    }
    const { message, cause } = refusal(source)
    expect(message).toMatch(/@memlayer\/os-linux is installed but does not load: .*Install it again/)
    expect(message).toContain(error instanceof Error ? error.message : 'thrown')
    expect(cause).toBe(error)
  })

  it('throws its own error when it makes its memory', () => {
    const failing = new RangeError('own')
    expect(() =>
      choose(
        auto({
          [linux]: {
            createOS: () => {
              throw failing
            },
          },
        }),
      ),
    ).toThrow(failing)
  })
})
