// Files of control groups as they are laid out by systemd, container runtimes, batch systems and sandboxes: what the
// process's limit is in each. Numbers are MiB. Each layout is a host that exists, with its files cut to what counts.
import { describe, expect, it } from 'vitest'
import { linuxLimits } from '../dist/linux-limits.js'
import { linuxPressure } from '../dist/linux-pressure.js'

const MiB = 2 ** 20
const NONE = '9223372036854771712'
const text = (value: number | string): string => `${typeof value === 'number' ? value * MiB : value}\n`

type Files = Readonly<Record<string, string>>

/** A group of version 1 in `folder`. */
const v1 = (folder: string, limit: number | string, used: number, stat = ''): Files => ({
  [`${folder}/memory.limit_in_bytes`]: text(limit),
  [`${folder}/memory.usage_in_bytes`]: text(used),
  [`${folder}/memory.failcnt`]: '3\n',
  ...(stat === '' ? {} : { [`${folder}/memory.stat`]: stat }),
})

/** A group of version 2 in `folder`. */
const v2 = (folder: string, max: number | string, used: number, high: number | string = 'max'): Files => ({
  [`${folder}/memory.max`]: text(max),
  [`${folder}/memory.high`]: text(high),
  [`${folder}/memory.current`]: text(used),
})

const self = (groups: string): Files => ({ '/proc/self/cgroup': groups })
/** Lines of /proc/self/mountinfo: [group, point, type, options of the file system]. */
const mounts = (...rows: readonly (readonly [string, string, 'cgroup' | 'cgroup2' | 'tmpfs', string])[]): Files => ({
  '/proc/self/mountinfo': rows
    .map(([group, point, type, options], i) => {
      const optional = ['', ' shared:9', ' shared:9 master:4'][i % 3] ?? ''
      const own = `${30 + i} 25 0:${26 + i} ${group} ${point} rw,nosuid,nodev,noexec,relatime`
      return `${own}${optional} - ${type} ${type} ${options}`
    })
    .join('\n'),
})
const unified = (group: string, point = '/sys/fs/cgroup'): Files => mounts([group, point, 'cgroup2', 'rw,nsdelegate'])
const memory1 = (group: string, point = '/sys/fs/cgroup/memory', options = 'rw,memory'): Files =>
  mounts(['/', '/sys/fs/cgroup', 'tmpfs', 'rw,mode=755'], [group, point, 'cgroup', options])

interface Layout {
  readonly host: string
  readonly files: Files
  /** [limit, used, high, its use]. Infinity: there is none. NaN: it is not told. */
  readonly bounds: readonly [number, number, number, number]
}

const layouts: readonly Layout[] = [
  {
    host: 'systemd, version 2, a service with MemoryMax',
    files: {
      ...self('0::/system.slice/db.service\n'),
      ...unified('/'),
      ...v2('/sys/fs/cgroup/system.slice/db.service', 512, 100),
      ...v2('/sys/fs/cgroup/system.slice', 'max', 900),
    },
    bounds: [512, 100, Infinity, 100],
  },
  {
    host: 'systemd, version 2, a slice with MemoryHigh above a scope',
    files: {
      ...self('0::/user.slice/user-1000.slice/session-2.scope\n'),
      ...unified('/'),
      ...v2('/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope', 'max', 50),
      ...v2('/sys/fs/cgroup/user.slice/user-1000.slice', 'max', 700, 800),
      ...v2('/sys/fs/cgroup/user.slice', 4096, 900),
    },
    bounds: [4096, 900, 800, 700],
  },
  {
    host: 'systemd, version 2, nothing limited',
    files: {
      ...self('0::/init.scope\n'),
      ...unified('/'),
      ...v2('/sys/fs/cgroup/init.scope', 'max', 20),
    },
    bounds: [Infinity, 20, Infinity, 20],
  },
  {
    host: 'Docker, version 2, with a namespace of control groups',
    files: { ...self('0::/\n'), ...unified('/'), ...v2('/sys/fs/cgroup', 256, 64) },
    bounds: [256, 64, Infinity, 64],
  },
  {
    host: "Docker, version 2, in the host's namespace of control groups",
    files: {
      ...self('0::/system.slice/docker-4f1c.scope\n'),
      ...unified('/'),
      ...v2('/sys/fs/cgroup/system.slice/docker-4f1c.scope', 300, 30),
    },
    bounds: [300, 30, Infinity, 30],
  },
  {
    host: 'Docker, version 1, which mounts the own group as if it were the root',
    files: { ...self('4:memory:/docker/4f1c\n'), ...memory1('/docker/4f1c'), ...v1('/sys/fs/cgroup/memory', 256, 64) },
    bounds: [256, 64, NaN, NaN],
  },
  {
    host: 'systemd in a container of version 1: the own group is below the mounted one',
    files: {
      ...self('4:memory:/docker/4f1c/system.slice/app.service\n'),
      ...memory1('/docker/4f1c'),
      ...v1('/sys/fs/cgroup/memory/system.slice/app.service', 128, 64),
      ...v1('/sys/fs/cgroup/memory', 1024, 100),
    },
    bounds: [128, 64, NaN, NaN],
  },
  {
    host: 'Docker in Docker, version 1: a folder of the same name belongs to another container',
    files: {
      ...self('4:memory:/docker/aa/docker/bb\n'),
      ...memory1('/docker/aa'),
      ...v1('/sys/fs/cgroup/memory/docker/bb', 200, 10),
      ...v1('/sys/fs/cgroup/memory/docker/aa', 50, 49),
      ...v1('/sys/fs/cgroup/memory', 1024, 100),
    },
    bounds: [200, 10, NaN, NaN],
  },
  {
    host: 'Kubernetes, version 1, burstable: the limit is the container, below a pod without one',
    files: {
      ...self('11:cpu,cpuacct:/kubepods/burstable/pod1/c1\n5:memory:/kubepods/burstable/pod1/c1\n'),
      ...memory1('/'),
      ...v1('/sys/fs/cgroup/memory/kubepods/burstable/pod1/c1', 512, 200),
      ...v1('/sys/fs/cgroup/memory/kubepods/burstable/pod1', NONE, 210),
      ...v1('/sys/fs/cgroup/memory/kubepods', 8192, 5000),
    },
    bounds: [512, 200, NaN, NaN],
  },
  {
    host: 'Kubernetes, version 1: the pod is fuller than the container',
    files: {
      ...self('5:memory:/kubepods/pod1/c1\n'),
      ...memory1('/'),
      ...v1('/sys/fs/cgroup/memory/kubepods/pod1/c1', 512, 100),
      ...v1('/sys/fs/cgroup/memory/kubepods/pod1', 600, 580),
    },
    bounds: [600, 580, NaN, NaN],
  },
  {
    host: 'Kubernetes, version 2, with memory QoS (memory.high)',
    files: { ...self('0::/\n'), ...unified('/'), ...v2('/sys/fs/cgroup', 1024, 300, 920) },
    bounds: [1024, 300, 920, 300],
  },
  {
    host: 'rootless Podman, version 2',
    files: {
      ...self('0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-9c.scope/container\n'),
      ...unified('/'),
      ...v2(
        '/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-9c.scope/container',
        'max',
        10,
      ),
      ...v2('/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-9c.scope', 333, 11),
    },
    bounds: [333, 11, Infinity, 10],
  },
  {
    host: 'LXC, version 1, which shows all of the tree',
    files: {
      ...self('8:memory:/lxc/web\n'),
      ...memory1('/'),
      ...v1('/sys/fs/cgroup/memory/lxc/web', 700, 70),
      ...v1('/sys/fs/cgroup/memory', NONE, 9000),
    },
    bounds: [700, 70, NaN, NaN],
  },
  {
    host: 'both versions, version 1 controls memory (a hybrid of systemd)',
    files: {
      ...self('6:memory:/system.slice/a.service\n1:name=systemd:/system.slice/a.service\n0::/system.slice/a.service\n'),
      ...mounts(
        ['/', '/sys/fs/cgroup', 'tmpfs', 'rw'],
        ['/', '/sys/fs/cgroup/unified', 'cgroup2', 'rw'],
        ['/', '/sys/fs/cgroup/memory', 'cgroup', 'rw,memory'],
      ),
      ...v1('/sys/fs/cgroup/memory/system.slice/a.service', 400, 40),
    },
    bounds: [400, 40, NaN, NaN],
  },
  {
    host: 'both versions, version 2 controls memory',
    files: {
      ...self('2:cpu:/x\n1:name=systemd:/x\n0::/x\n'),
      ...mounts(['/', '/sys/fs/cgroup/cpu', 'cgroup', 'rw,cpu'], ['/', '/sys/fs/cgroup/unified', 'cgroup2', 'rw']),
      ...v2('/sys/fs/cgroup/unified/x', 500, 5),
    },
    bounds: [500, 5, Infinity, 5],
  },
  {
    host: 'version 1 is listed and not mounted in the container, version 2 is',
    files: { ...self('4:memory:/docker/1\n0::/\n'), ...unified('/'), ...v2('/sys/fs/cgroup', 123, 12) },
    bounds: [123, 12, Infinity, 12],
  },
  {
    host: 'controllers that share a mount',
    files: {
      ...self('3:cpu,memory,cpuacct:/job\n'),
      ...memory1('/', '/sys/fs/cgroup/cpu,memory', 'rw,cpu,memory,cpuacct'),
      ...v1('/sys/fs/cgroup/cpu,memory/job', 90, 9),
    },
    bounds: [90, 9, NaN, NaN],
  },
  {
    host: 'Red Hat 6, which mounts below /cgroup',
    files: { ...self('2:memory:/batch\n'), ...memory1('/', '/cgroup/memory'), ...v1('/cgroup/memory/batch', 64, 6) },
    bounds: [64, 6, NaN, NaN],
  },
  {
    host: 'Android, which mounts at /dev/memcg',
    files: {
      ...self('3:memory:/apps/uid_10123\n0::/uid_10123/pid_7\n'),
      ...mounts(['/', '/dev/memcg', 'cgroup', 'rw,memory'], ['/', '/sys/fs/cgroup', 'cgroup2', 'rw']),
      ...v1('/dev/memcg/apps/uid_10123', 1500, 600),
      ...v1('/dev/memcg/apps', NONE, 700),
    },
    bounds: [1500, 600, NaN, NaN],
  },
  {
    host: 'a mount whose folder has a space in its name',
    files: {
      ...self('0::/x\n'),
      ...unified('/', '/mnt/my\\040groups'),
      ...v2('/mnt/my groups/x', 77, 7),
    },
    bounds: [77, 7, Infinity, 7],
  },
  {
    host: 'Slurm, version 1: steps and tasks below the job that has the limit',
    files: {
      ...self('9:memory:/slurm/uid_5/job_7/step_0/task_0\n'),
      ...memory1('/'),
      ...v1('/sys/fs/cgroup/memory/slurm/uid_5/job_7/step_0/task_0', NONE, 10),
      ...v1('/sys/fs/cgroup/memory/slurm/uid_5/job_7/step_0', 2048, 11),
      ...v1('/sys/fs/cgroup/memory/slurm/uid_5/job_7', 2048, 1000),
    },
    bounds: [2048, 1000, NaN, NaN],
  },
  {
    host: 'Slurm, version 2',
    files: {
      ...self('0::/system.slice/slurmstepd.scope/job_7/step_0/user/task_0\n'),
      ...unified('/'),
      ...v2('/sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/step_0/user/task_0', 'max', 10),
      ...v2('/sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/step_0/user', 'max', 20),
      ...v2('/sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/step_0', 3000, 30),
      ...v2('/sys/fs/cgroup/system.slice/slurmstepd.scope/job_7', 3000, 40),
    },
    bounds: [3000, 40, Infinity, 10],
  },
  {
    host: 'a namespace that shows no parent: version 1 tells their limit in memory.stat',
    files: {
      ...self('4:memory:/\n'),
      ...memory1('/'),
      ...v1('/sys/fs/cgroup/memory', NONE, 50, `cache 0\nhierarchical_memory_limit ${640 * MiB}\n`),
    },
    bounds: [640, 50, NaN, NaN],
  },
  {
    host: 'version 1, where memory.stat knows no limit either',
    files: {
      ...self('4:memory:/\n'),
      ...memory1('/'),
      ...v1('/sys/fs/cgroup/memory', NONE, 50, `hierarchical_memory_limit ${NONE}\ntotal_inactive_file ${10 * MiB}\n`),
    },
    bounds: [Infinity, 40, NaN, NaN],
  },
  {
    host: 'gVisor, which writes a limit of 2^63-1 and has few files',
    files: { ...self('2:memory:/\n1:cpu:/\n'), ...v1('/sys/fs/cgroup/memory', '9223372036854775807', 30) },
    bounds: [Infinity, 30, NaN, NaN],
  },
  {
    host: 'a sandbox that shows the host path and the own files, and no mounts',
    files: { ...self('4:memory:/ecs/task/c1\n'), ...v1('/sys/fs/cgroup/memory', 512, 51) },
    bounds: [512, 51, NaN, NaN],
  },
  {
    host: 'Lambda, which has a group and mounts nothing',
    files: self('7:memory:/sandbox-1\n0::/\n'),
    bounds: [NaN, NaN, NaN, NaN],
  },
  {
    host: 'the root of version 2, which has no file for a limit',
    files: { ...self('0::/\n'), ...unified('/'), '/sys/fs/cgroup/cgroup.controllers': 'cpu memory pids\n' },
    bounds: [Infinity, NaN, NaN, NaN],
  },
  {
    host: 'version 2 without the controller of memory',
    files: { ...self('0::/\n'), ...unified('/'), '/sys/fs/cgroup/cgroup.controllers': 'cpu pids\n' },
    bounds: [NaN, NaN, NaN, NaN],
  },
  {
    host: 'a group outside of the namespace',
    files: { ...self('0::/../../other\n'), ...unified('/'), ...v2('/sys/fs/cgroup', 9, 9) },
    bounds: [NaN, NaN, NaN, NaN],
  },
  {
    host: 'a mount that shows another group than the own one',
    files: { ...self('4:memory:/mine\n'), ...memory1('/others'), ...v1('/sys/fs/cgroup/memory', 9, 9) },
    bounds: [NaN, NaN, NaN, NaN],
  },
  {
    host: 'a group that was removed while the process is in it',
    files: {
      ...self('0::/a/b (deleted)\n'),
      ...unified('/'),
      ...v2('/sys/fs/cgroup/a', 800, 80),
    },
    bounds: [800, 80, Infinity, 80],
  },
  {
    host: 'a name of a group with colons',
    files: {
      ...self('0::/system.slice/docker:4f:memory.scope\n'),
      ...unified('/'),
      ...v2('/sys/fs/cgroup/system.slice/docker:4f:memory.scope', 410, 41),
    },
    bounds: [410, 41, Infinity, 41],
  },
  {
    host: 'a limit of 0, and one smaller than what is used',
    files: {
      ...self('0::/a/b\n'),
      ...unified('/'),
      ...v2('/sys/fs/cgroup/a/b', 0, 10),
      ...v2('/sys/fs/cgroup/a', 100, 200),
    },
    bounds: [100, 200, Infinity, 10],
  },
  {
    host: 'the kernel before 4.18: memory.high is there, memory.max is not',
    files: {
      ...self('0::/svc\n'),
      ...unified('/'),
      '/sys/fs/cgroup/svc/memory.high': text(90),
      '/sys/fs/cgroup/svc/memory.current': text(9),
    },
    bounds: [NaN, NaN, 90, 9],
  },
]

describe.each(layouts)('$host', ({ files, bounds }) => {
  it('tells the limit, its use, memory.high and its use', () => {
    const { groupLimit, groupUsed, groupHigh = NaN, groupHighUsed = NaN } = linuxLimits((path) => files[path] ?? null)
    expect([groupLimit, groupUsed, groupHigh, groupHighUsed].map((bytes) => bytes / MiB)).toEqual(bounds)
  })

  it('is the same with blank lines about, and with lines in another order', () => {
    const other = (path: string): string | null => {
      const given = files[path]
      if (given === undefined) return null
      return path === '/proc/self/cgroup' || path === '/proc/self/mountinfo'
        ? `\n${given.split('\n').toReversed().join('\n')}\n\n`
        : `${given}\n`
    }
    const { groupLimit, groupUsed } = linuxLimits(other)
    expect([groupLimit, groupUsed].map((bytes) => bytes / MiB)).toEqual(bounds.slice(0, 2))
  })
})

it('counts how often a group of version 1 met its limit where its mount shows a part of the tree', () => {
  const files: Files = {
    ...self('4:memory:/docker/4f1c/app\n'),
    ...memory1('/docker/4f1c'),
    ...v1('/sys/fs/cgroup/memory/app', 256, 64),
  }
  expect(linuxPressure((path) => files[path] ?? null)).toMatchObject({ reached: 3 })
})
