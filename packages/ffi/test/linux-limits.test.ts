// The limits as Linux's files tell them, with made-up files: both versions of control groups, in and out of
// containers, and unreadable files.
import { describe, expect, it } from 'vitest'
import { linuxLimits } from '../dist/linux-limits.js'

const GiB = 2 ** 30
const from = (files: Readonly<Record<string, string>>) => linuxLimits((path) => files[path] ?? null)
const groupOf = (files: Readonly<Record<string, string>>): unknown => {
  const { groupLimit, groupUsed } = from(files)
  return [groupLimit / GiB, groupUsed / GiB]
}

const v1 = '/sys/fs/cgroup/memory'
const v2 = '/sys/fs/cgroup'
const gib = (n: number): string => `${n * GiB}\n`

describe('the control group', () => {
  it('is, in version 2, the one up the tree with the smallest limit, without its file pages', () => {
    expect(
      groupOf({
        '/proc/self/cgroup': '0::/user.slice/app.scope\n',
        [`${v2}/user.slice/app.scope/memory.max`]: 'max\n',
        [`${v2}/user.slice/app.scope/memory.current`]: gib(1),
        [`${v2}/user.slice/memory.max`]: gib(4),
        [`${v2}/user.slice/memory.current`]: gib(3),
        [`${v2}/user.slice/memory.stat`]: `anon 5\ninactive_file ${GiB}\nactive_file 7\n`,
      }),
    ).toEqual([4, 2])
  })

  it('is, in version 1, that of the memory controller, with the groups below', () => {
    expect(
      groupOf({
        '/proc/self/cgroup': '9:cpu,cpuacct:/x\n4:memory:/app/one\n0::/\n',
        [`${v1}/app/one/memory.limit_in_bytes`]: '9223372036854771712\n',
        [`${v1}/app/one/memory.usage_in_bytes`]: gib(1),
        [`${v1}/app/memory.limit_in_bytes`]: gib(2),
        [`${v1}/app/memory.usage_in_bytes`]: gib(1.75),
        [`${v1}/app/memory.stat`]: `inactive_file 5\ntotal_inactive_file ${GiB / 2}\n`,
        [`${v1}/memory.limit_in_bytes`]: '9223372036854771712\n',
        [`${v1}/memory.usage_in_bytes`]: gib(9),
      }),
    ).toEqual([2, 1.25])
  })

  it("is found in a container, where the path is the host's but the folder is its own", () => {
    expect(
      groupOf({
        '/proc/self/cgroup': '4:memory:/docker/0123\n',
        [`${v1}/memory.limit_in_bytes`]: gib(1),
        [`${v1}/memory.usage_in_bytes`]: gib(0.5),
      }),
    ).toEqual([1, 0.5])
    expect(
      groupOf({ '/proc/self/cgroup': '0::/\n', [`${v2}/memory.max`]: gib(1), [`${v2}/memory.current`]: gib(0.5) }),
    ).toEqual([1, 0.5])
  })

  it('has limit Infinity when no limit is set, and NaN when no file can be read', () => {
    const none = '9223372036854771712\n'
    expect(
      groupOf({
        '/proc/self/cgroup': '4:memory:/\n',
        [`${v1}/memory.limit_in_bytes`]: none,
        [`${v1}/memory.usage_in_bytes`]: gib(1),
      }),
    ).toEqual([Infinity, 1])
    expect(groupOf({ '/proc/self/cgroup': '0::/\n', [`${v2}/cgroup.controllers`]: 'cpu memory pids\n' })).toEqual([
      Infinity,
      NaN,
    ])
    expect(groupOf({ '/proc/self/cgroup': '0::/\n', [`${v2}/cgroup.controllers`]: 'cpu pids\n' })).toEqual([NaN, NaN])
    expect(groupOf({})).toEqual([NaN, NaN])
  })
})

const v2Files = (folder: string, max: string, high: string, current: string): Record<string, string> => ({
  [`${v2}${folder}/memory.max`]: max,
  [`${v2}${folder}/memory.high`]: high,
  [`${v2}${folder}/memory.current`]: current,
})
const boundsOf = (files: Readonly<Record<string, string>>): unknown => {
  const { groupLimit, groupUsed, groupHigh = NaN, groupHighUsed = NaN } = from(files)
  return [groupLimit, groupUsed, groupHigh, groupHighUsed].map((n) => n / GiB)
}

describe('memory.high, beyond which the kernel stalls the group', () => {
  it('is told with its use where there is no memory.max', () => {
    const files = { '/proc/self/cgroup': '0::/svc\n', ...v2Files('/svc', 'max\n', gib(3), gib(2)) }
    expect(boundsOf(files)).toEqual([Infinity, 2, 3, 2])
  })

  it('is told where the kernel has no memory.max at all', () => {
    const { [`${v2}/svc/memory.max`]: _, ...files } = v2Files('/svc', '', gib(3), gib(2))
    expect(boundsOf({ '/proc/self/cgroup': '0::/svc\n', ...files })).toEqual([NaN, NaN, 3, 2])
  })

  it("may be a parent's, and another group's than memory.max", () => {
    expect(
      boundsOf({
        '/proc/self/cgroup': '0::/a/b\n',
        ...v2Files('/a/b', gib(8), 'max\n', gib(1)),
        ...v2Files('/a', 'max\n', gib(6), gib(5)),
        [`${v2}/a/memory.stat`]: `inactive_file ${GiB}\n`,
      }),
    ).toEqual([8, 1, 6, 4])
  })

  it('is, as memory.max is, the one that leaves least room, though a smaller one is further from full', () => {
    expect(
      boundsOf({
        '/proc/self/cgroup': '0::/a/b\n',
        ...v2Files('/a/b', gib(4), gib(2), gib(1)),
        ...v2Files('/a', gib(6), gib(5), gib(4.5)),
      }),
    ).toEqual([6, 4.5, 5, 4.5])
  })

  it("is not version 1's soft limit, which acts only when the host is short of memory", () => {
    const files = {
      '/proc/self/cgroup': '4:memory:/app\n',
      [`${v1}/app/memory.limit_in_bytes`]: gib(8),
      [`${v1}/app/memory.soft_limit_in_bytes`]: gib(1),
      [`${v1}/app/memory.usage_in_bytes`]: gib(2),
    }
    expect(boundsOf(files)).toEqual([8, 2, NaN, NaN])
    expect(from(files)).not.toHaveProperty('groupHigh')
  })
})

describe('a host that answers in another way', () => {
  it('knows no limit of a group that lies outside of what is mounted', () => {
    const files = {
      ...v2Files('', gib(1), gib(1), gib(1)),
      '/sys/fs/x/memory.max': gib(2),
      '/sys/x/memory.max': gib(2),
    }
    expect(boundsOf({ '/proc/self/cgroup': '0::/../../x\n', ...files })).toEqual([NaN, NaN, NaN, NaN])
    expect(boundsOf({ '/proc/self/cgroup': '0::/..\n', ...files })).toEqual([NaN, NaN, NaN, NaN])
  })

  it('tells a limit above the memory of the host as it stands, beside that memory', () => {
    const limits = from({
      '/proc/self/cgroup': '0::/svc\n',
      ...v2Files('/svc', gib(64), 'max\n', gib(1)),
      '/proc/meminfo': 'SwapTotal:        1048576 kB\nMemFree: 1 kB\nMemTotal:       16777216 kB\n',
    })
    expect([limits.groupLimit, limits.hostMemory, limits.hostSwap]).toEqual([64 * GiB, 16 * GiB, GiB])
  })

  it('knows nothing where every file is there and empty', () => {
    for (const text of ['', '\n']) {
      for (const [name, value] of Object.entries(linuxLimits(() => text))) expect([name, value]).toEqual([name, NaN])
    }
  })

  it('knows nothing where lines have a name and no figure', () => {
    const status = 'Name:\tnode\nVmSize:\nVmData:\t\nVmLck:\n'
    const limits = from({
      '/proc/self/status': status,
      '/proc/meminfo': 'CommitLimit:\n',
      '/proc/self/limits': 'Max\n',
    })
    expect(limits).toMatchObject({
      addressSpaceUsed: NaN,
      dataSizeUsed: NaN,
      lockedMemoryUsed: NaN,
      commitLimit: NaN,
      committed: NaN,
      dataSize: NaN,
    })
  })

  it('reads lines in any order', () => {
    const status = 'VmLck:\t 4 kB\nTHP_enabled:\t1\nVmData:\t 8 kB\nVmPeak:\t 99 kB\nVmSize:\t 12 kB\n'
    const limits = from({
      '/proc/self/status': status,
      '/proc/self/cgroup': '0::/svc\n\n1:name=systemd:/other\n',
      ...v2Files('/svc', gib(2), 'max\n', gib(1)),
      '/proc/self/limits':
        'Max data size 100 unlimited bytes\nLimit Soft Hard Units\nMax address space 200 300 bytes\n',
    })
    expect(limits).toMatchObject({ lockedMemoryUsed: 4096, dataSizeUsed: 8192, addressSpaceUsed: 12288 })
    expect(limits).toMatchObject({ dataSize: 100, addressSpace: 200, groupLimit: 2 * GiB })
  })
})

describe('huge pages that prctl switched off', () => {
  const policy = { '/sys/kernel/mm/transparent_hugepage/enabled': '[always] madvise never\n' }

  it('are never given to this process, whatever the policy of the host', () => {
    const off = from({ ...policy, '/proc/self/status': 'VmLck:\t0 kB\nTHP_enabled:\t0\n' })
    expect([off.hugePages, off.hugePagesDisabled]).toEqual(['never', true])
  })

  it('are not claimed of a kernel that has none, or that does not tell', () => {
    for (const files of [
      { '/proc/self/status': 'THP_enabled:\t0\n' },
      { ...policy, '/proc/self/status': 'THP_enabled:\t1\n' },
      policy,
    ])
      expect(from(files)).not.toHaveProperty('hugePagesDisabled')
  })
})

it('tells how many descriptors there may be, and whether a filter of system calls is set', () => {
  const line = 'Max open files            1024                 524288               files     \n'
  const filtered = from({ '/proc/self/limits': line, '/proc/self/status': 'Seccomp:\t2\nSeccomp_filters:\t1\n' })
  expect([filtered.descriptors, filtered.filtersCalls]).toEqual([1024, true])
  for (const status of ['Seccomp:\t0\n', 'Seccomp_filters:\t2\n', ''])
    expect(from({ '/proc/self/status': status })).not.toHaveProperty('filtersCalls')
  expect(from({}).descriptors).toBeNaN()
})

it('tells which memory gets huge pages, and how much the process has locked', () => {
  const { hugePages, lockedMemory, lockedMemoryUsed } = from({
    '/sys/kernel/mm/transparent_hugepage/enabled': 'always [madvise] never\n',
    '/proc/self/limits': 'Max locked memory         8388608              8388608              bytes     \n',
    '/proc/self/status': 'VmSize:\t  100 kB\nVmLck:\t    64 kB\n',
  })
  expect([hugePages, lockedMemory, lockedMemoryUsed]).toEqual(['madvise', 8 * 2 ** 20, 65536])
  expect(from({})).toMatchObject({ lockedMemory: NaN, lockedMemoryUsed: NaN, mappings: NaN, overcommit: NaN })
  expect(from({})).not.toHaveProperty('hugePages')
})
