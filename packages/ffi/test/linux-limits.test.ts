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
