// Which of the six it is: the given flavor, else FreeBSD over a kernel that is handed in, else the host's.
import { createMemory, UsageError } from '@memlayer/core'
import { createOS, type Flavor } from '@memlayer/os-bsd'
import { blankKernel } from '@memlayer/stand-in'
import { errorOf, runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { flavorOf } from '../dist/host.js'

const all: Flavor[] = ['freebsd', 'dragonfly', 'netbsd', 'openbsd', 'solaris', 'illumos']
const isOneOfThem = ['freebsd', 'netbsd', 'openbsd', 'sunos'].includes(process.platform)
const kernel = blankKernel(4096)

describe('the flavor', () => {
  it.each(all)('%s is the name of the OS, in its errors too', (flavor) => {
    const os = createOS({ kernel: blankKernel(4096, { mmap: () => -12 }), flavor })
    expect(os.name).toBe(flavor)
    expect((errorOf(() => createMemory(os).sysReserve(null, 4096)) as Error).message).toContain(`${flavor} refused`)
  })

  it('is FreeBSD over a kernel that is handed in, without asking the host', () => {
    expect(createOS({ kernel }).name).toBe('freebsd')
    const child = runChild(
      `
      import { syncBuiltinESMExports } from 'node:module'
      import os from 'node:os'
      os.type = os.version = os.platform = () => { throw new Error('the host was asked') }
      syncBuiltinESMExports()
      const { createOS } = await import('@memlayer/os-bsd')
      const call = () => 0
      const kernel = {
        pageSize: 4096, hugePageSize: 0, mmap: call, munmap: call, mprotect: call, madvise: call, view: call,
      }
      const asked = (() => { try { createOS() } catch ({ message }) { return message } })()
      console.log(createOS({ kernel }).name, createOS({ kernel, flavor: 'illumos' }).name, asked)
      `,
      { from: import.meta.dirname },
    )
    expect(child.stderr).toBe('')
    expect(child.stdout).toBe('freebsd illumos the host was asked\n')
  })

  it.skipIf(isOneOfThem)('throws a UsageError that lists the six on any other host', () => {
    const error = errorOf(() => createOS())
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_OPTION' })
    for (const flavor of all) expect((error as Error).message).toContain(flavor)
  })

  it.each(['linux', 'FreeBSD', '', 'toString', '__proto__', 4, {}, 5n])(
    'throws a UsageError that lists the six for %o',
    (flavor) => {
      const error = errorOf(() => createOS({ kernel, flavor: flavor as Flavor }))
      expect(error).toBeInstanceOf(UsageError)
      expect((error as UsageError).hint).toBe(
        `Pass the option flavor, with a kernel of that system: ${all.join(', ')}.`,
      )
    },
  )

  it.each([
    ['FreeBSD', 'FreeBSD 14.1-RELEASE-p5 GENERIC', 'freebsd'],
    ['DragonFly', 'DragonFly v6.4.0-RELEASE #0', 'dragonfly'],
    ['NetBSD', 'NetBSD 10.0 (GENERIC) #0', 'netbsd'],
    ['OpenBSD', 'GENERIC.MP#1', 'openbsd'],
    ['SunOS', '11.4.42.111.0', 'solaris'],
    ['SunOS', 'Generic_150400-65', 'solaris'],
    ['SunOS', 'omnios-r151046-5e3ea9d5d5', 'illumos'],
    ['SunOS', 'joyent_20240208T001930Z', 'illumos'],
    ['SunOS', 'illumos-2ed96329a0', 'illumos'],
    ['Linux', '#1 SMP PREEMPT_DYNAMIC', null],
    ['Darwin', 'Darwin Kernel Version 23.0.0', null],
  ])('of a host whose uname says %s, %s is %s', (sysname, version, flavor) => {
    expect(flavorOf(sysname, version)).toBe(flavor)
  })
})
