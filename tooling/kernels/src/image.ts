// What QEMU boots: Debian's kernel, and one archive in memory that is the machine's whole file system. The archive
// has a C library, Node, koffi, the suite, and an init that runs the suite and switches the machine off.
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command, download } from './command.js'
import { Apt, unpack } from './debian.js'
import type { Machine } from './machines.js'
import { filesOf, runnerPath } from './suite.js'
import { once, pinnedVersion } from './workspace.js'

/** The kernel's file, and the folder that becomes the machine's root. */
export interface Parts {
  readonly kernel: string
  readonly root: string
  /** `'7.2.12+deb14-arm64-16k'`. */
  readonly version: string
}

/** The packages of npm that a machine needs, with their versions. */
export function npmPackagesOf({ arch, node }: Pick<Machine, 'arch' | 'node'>): string[] {
  const koffi = `@koromix/koffi-linux-${arch}`
  return [`${koffi}@${pinnedVersion(koffi)}`, ...(node === null ? [] : [node.join('@')])]
}

/** Fetches what does not change with the suite, once. @throws DownloadError if apt or npm cannot fetch it. */
export function fetchParts(machine: Machine): Parts {
  const pinned = npmPackagesOf(machine)
  const name = `${machine.name}-${pinned.join('-').replaceAll(/[^\w.]+/g, '-')}`
  const folder = once(name, (draft) => fetchInto(draft, machine, pinned))
  const { path, version } = kernelIn(join(folder, 'kernel'))
  return { kernel: path, root: join(folder, 'root'), version }
}

function fetchInto(
  draft: string,
  { name, architecture, arch, kernel, node }: Machine,
  pinned: readonly string[],
): void {
  const root = join(draft, 'root')
  const modules = join(draft, 'npm', 'node_modules')
  const forNode = node === null ? ['nodejs'] : ['libc6', 'libstdc++6', 'libatomic1']
  const needs = ['busybox-static', 'util-linux', ...forNode]
  console.log(`${name}: setting up, once: apt fetches ${[kernel, ...needs].join(' ')} for ${architecture}.`)
  const apt = new Apt(join(draft, 'apt'), architecture)
  unpack(apt.fetchWhole(needs), root)
  unpack([apt.fetchKernel(kernel)], join(draft, 'kernel'))
  console.log(`${name}: setting up, once: npm fetches ${pinned.join(' ')}.`)
  npmInstall(join(draft, 'npm'), arch, pinned)
  cpSync(join(modules, '@koromix'), join(root, 'suite', 'node_modules', '@koromix'), { recursive: true })
  if (node !== null) cpSync(join(modules, node[0], 'bin', 'node'), join(root, 'usr', 'bin', 'node'))
  slim(root)
  for (const rest of ['apt', 'npm']) rmSync(join(draft, rest), { recursive: true, force: true })
}

/** Finds /boot/vmlinuz-<version>, or since Linux 7 /usr/lib/modules/<version>/vmlinuz. */
function kernelIn(folder: string): { path: string; version: string } {
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const version = /(?:^boot\/vmlinu[xz]-([^/]+)|modules\/([^/]+)\/vmlinu[xz])$/.exec(path)
    if (version !== null) return { path: join(folder, path), version: version[1] ?? version[2] ?? '' }
  }
  throw new Error(`no kernel in ${folder}`)
}

/** Writes the archive: the fetched root with the suite and an init in it. */
export function writeImage({ root }: Parts, machine: Machine, suite: string, image: string): void {
  const folder = `${image}.root`
  rmSync(folder, { recursive: true, force: true })
  // Hard links, because this copy is removed as soon as the archive is written.
  command('cp', ['-al', root, folder])
  cpSync(suite, join(folder, 'suite'), { recursive: true })
  for (const name of ['proc', 'sys', 'dev', 'tmp', 'output', 'usr/local/bin']) {
    mkdirSync(join(folder, name), { recursive: true })
  }
  writeFileSync(join(folder, 'init'), init(machine))
  chmodSync(join(folder, 'init'), 0o755)
  command('sh', ['-c', 'find . | cpio --create --format=newc --quiet > "$0"', image], { cwd: folder })
  rmSync(folder, { recursive: true, force: true })
}

/**
 * The first program of the machine. It writes one `@node` line of facts. For each file it shows what Node wrote,
 * then a `@test` line for each test, then `@end` with Node's exit code. `@done` is the last line.
 */
function init(machine: Machine): string {
  const settings = Object.entries(machine.settings).map(([path, value]) => `echo ${value} > /proc/sys/${path}`)
  return `#!/usr/bin/busybox sh
export PATH=/usr/local/bin:/usr/bin:/usr/sbin HOME=/tmp TMPDIR=/tmp NO_COLOR=1
/usr/bin/busybox mount -t proc proc /proc
/usr/bin/busybox --install -s /usr/local/bin
mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp
ip link set lo up
${settings.join('\n')}
cd /suite
pages=$(awk '/^KernelPageSize/ { print $2 * 1024; exit }' /proc/self/smaps)
thp=/sys/kernel/mm/transparent_hugepage
facts="Node $(node --version), $(uname -rm), pages of $pages bytes"
facts="$facts, huge $(cat $thp/hpage_pmd_size) $(cat $thp/enabled)"
echo "@node $facts, overcommit $(cat /proc/sys/vm/overcommit_memory)"
for name in ${filesOf(machine).join(' ')}; do
  : > /output/$name
  MEMLAYER_OUTPUT=/output/$name node --enable-source-maps ${runnerPath} $name.mjs 2>&1
  code=$?
  sed 's/^/@test /' /output/$name
  echo "@end $name $code"
done
echo @done
# This waits until the console has sent all of it, which a poweroff does not.
stty sane < /dev/console
sleep 1
poweroff -f
`
}

/** Installs packages for another processor. */
function npmInstall(folder: string, arch: string, packages: readonly string[]): void {
  mkdirSync(folder)
  // A manifest here keeps npm from looking for one in the folders above.
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const platform = ['--force', '--os=linux', `--cpu=${arch}`, '--libc=glibc']
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  download('npm', ['install', '--prefix', folder, ...platform, ...quiet, ...packages], { cwd: folder })
}

/** Removes what the tests do not read, because an emulated processor has to unpack the archive into memory. */
function slim(root: string): void {
  for (const name of ['doc', 'man', 'locale', 'info', 'bash-completion']) {
    rmSync(join(root, 'usr', 'share', name), { recursive: true, force: true })
  }
  rmSync(join(root, 'usr', 'include'), { recursive: true, force: true })
}
