// What QEMU boots: the kernel as Debian packs it, and one archive in memory as its whole file system,
// with a C library, Node, koffi, the suite, and an init that runs it and switches the machine off.
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from './command.js'
import { Apt, unpack } from './debian.js'
import type { Machine } from './machines.js'
import { filesOf } from './suite.js'
import { once, pinnedVersion } from './workspace.js'

/** The kernel's file, and the folder that is to be its root. */
export interface Parts {
  readonly kernel: string
  readonly root: string
  /** `'7.2.12+deb14-arm64-16k'`. */
  readonly version: string
}

/** What does not change with the suite, from Debian and npm, once. */
export function fetchParts(machine: Machine): Parts {
  const { name, architecture, arch, node } = machine
  const koffi = `@koromix/koffi-linux-${arch}`
  const pinned = [`${koffi}@${pinnedVersion(koffi)}`, ...(node === null ? [] : [node.join('@')])]
  const folder = once(`${name}-${pinned.join('-').replaceAll(/[^\w.]+/g, '-')}`, (draft) => {
    const needs = [
      'busybox-static',
      'util-linux',
      ...(node === null ? ['nodejs'] : ['libc6', 'libstdc++6', 'libatomic1']),
    ]
    console.log(`${name}: setting up, once: apt fetches ${[machine.kernel, ...needs].join(' ')} for ${architecture}.`)
    const apt = new Apt(join(draft, 'apt'), architecture)
    unpack(apt.fetchWhole(needs), join(draft, 'root'))
    unpack([apt.fetchKernel(machine.kernel)], join(draft, 'kernel'))
    console.log(`${name}: setting up, once: npm fetches ${pinned.join(' ')}.`)
    npmInstall(join(draft, 'npm'), arch, pinned)
    cpSync(join(draft, 'npm', 'node_modules', '@koromix'), join(draft, 'root', 'suite', 'node_modules', '@koromix'), {
      recursive: true,
    })
    if (node !== null)
      cpSync(join(draft, 'npm', 'node_modules', node[0], 'bin', 'node'), join(draft, 'root', 'usr', 'bin', 'node'))
    slim(join(draft, 'root'))
    for (const rest of ['apt', 'npm']) rmSync(join(draft, rest), { recursive: true, force: true })
  })
  const image = kernelIn(join(folder, 'kernel'))
  return { kernel: image.path, root: join(folder, 'root'), version: image.version }
}

/** /boot/vmlinuz-<version>, or since Linux 7 /usr/lib/modules/<version>/vmlinuz. */
function kernelIn(folder: string): { path: string; version: string } {
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const version = /(?:^boot\/vmlinu[xz]-([^/]+)|modules\/([^/]+)\/vmlinu[xz])$/.exec(path)
    if (version !== null) return { path: join(folder, path), version: version[1] ?? version[2] ?? '' }
  }
  throw new Error(`no kernel in ${folder}`)
}

/** Writes the archive with the suite and an init in it. */
export function writeImage({ root }: Parts, machine: Machine, suite: string, image: string): void {
  const folder = `${image}.root`
  rmSync(folder, { recursive: true, force: true })
  // Hard links: the archive is all that is wanted of this copy.
  command('cp', ['-al', root, folder])
  cpSync(suite, join(folder, 'suite'), { recursive: true })
  for (const name of ['proc', 'sys', 'dev', 'tmp', 'output', 'usr/local/bin'])
    mkdirSync(join(folder, name), { recursive: true })
  writeFileSync(join(folder, 'init'), init(machine))
  chmodSync(join(folder, 'init'), 0o755)
  command('sh', ['-c', 'find . | cpio --create --format=newc --quiet > "$0"', image], { cwd: folder })
  rmSync(folder, { recursive: true, force: true })
}

/** A file's tests go to /output as lines, which follow its output on the console: `@test` each, then `@end` with the code. */
function init(machine: Machine): string {
  const node = 'MEMLAYER_OUTPUT=/output/$name node --enable-source-maps --test-reporter=./reporter.mjs'
  return `#!/usr/bin/busybox sh
export PATH=/usr/local/bin:/usr/bin:/usr/sbin HOME=/tmp TMPDIR=/tmp
/usr/bin/busybox mount -t proc proc /proc
/usr/bin/busybox --install -s /usr/local/bin
mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp
ip link set lo up
${Object.entries(machine.settings)
  .map(([path, value]) => `echo ${value} > /proc/sys/${path}`)
  .join('\n')}
cd /suite
pages=$(awk '/^KernelPageSize/ { print $2 * 1024; exit }' /proc/self/smaps)
thp=/sys/kernel/mm/transparent_hugepage
echo "@node Node $(node --version), $(uname -rm), pages of $pages bytes, huge $(cat $thp/hpage_pmd_size) $(cat $thp/enabled), overcommit $(cat /proc/sys/vm/overcommit_memory)"
for name in ${filesOf(machine).join(' ')}; do
  ${node} --test-reporter-destination=stdout ./$name.mjs 2>&1
  code=$?
  sed 's/^/@test /' /output/$name
  echo "@end $name $code"
done
echo @done
poweroff -f
`
}

function npmInstall(folder: string, arch: string, packages: readonly string[]): void {
  mkdirSync(folder)
  // Its own manifest, so that npm does not look for one above.
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const flags = [
    '--force',
    '--os=linux',
    `--cpu=${arch}`,
    '--libc=glibc',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]
  command('npm', ['install', '--prefix', folder, ...flags, ...packages], { cwd: folder })
}

/** Takes out what nobody reads there: the archive is unpacked by an emulated processor, into memory. */
function slim(folder: string): void {
  for (const name of [
    'usr/share/doc',
    'usr/share/man',
    'usr/share/locale',
    'usr/share/info',
    'usr/share/bash-completion',
    'usr/include',
  ]) {
    rmSync(join(folder, name), { recursive: true, force: true })
  }
}
