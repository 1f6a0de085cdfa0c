// Debian's packages: the host's own that are missing, installed; those of other architectures, fetched
// and unpacked into the cache by an apt with lists of its own, which knows nothing of the host's state.
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command, hasCommand } from './command.js'
import { release } from './machines.js'

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** Installs the packages whose command is missing. @throws Error that names the command to run, where this user may not. */
export function installCommands(wanted: readonly (readonly [command: string, debianPackage: string])[]): void {
  const missing = wanted.filter(([name]) => !hasCommand(name)).map(([, debianPackage]) => debianPackage)
  if (missing.length === 0) return
  if (!hasCommand('apt-get')) throw new Error(`needs Debian, or these by other means: ${missing.join(' ')}`)
  const install = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...missing]
  console.log(`Setting up, once: ${install.join(' ')}`)
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  try {
    for (const line of [['apt-get', 'update', '-qq'], install]) {
      const [program = '', ...args] = [...asRoot, ...line]
      command(program, args)
    }
  } catch (error) {
    throw new Error(`needs ${missing.join(' ')}: run ${install.join(' ')} as root`, { cause: error })
  }
}

/** An apt for one architecture, with everything that it keeps in `folder`. */
export class Apt {
  readonly #folder: string
  readonly #options: string[]

  constructor(folder: string, architecture: string) {
    this.#folder = folder
    for (const name of ['lists/partial', 'archives/partial', 'state'])
      mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, 'status'), '')
    const source = `deb [arch=${architecture} signed-by=${KEYRING}] ${mirror()} ${release} main\n`
    writeFileSync(join(folder, 'sources.list'), source)
    const settings = {
      'APT::Architecture': architecture,
      'APT::Architectures': architecture,
      'APT::Sandbox::User': 'root',
      'Dir::State': join(folder, 'state'),
      'Dir::State::Lists': join(folder, 'lists'),
      'Dir::State::status': join(folder, 'status'),
      'Dir::Cache': folder,
      'Dir::Cache::Archives': join(folder, 'archives'),
      'Dir::Etc::SourceList': join(folder, 'sources.list'),
      'Dir::Etc::SourceParts': '/dev/null',
    }
    this.#options = Object.entries(settings).map(([name, value]) => `-o${name}=${value}`)
    command('apt-get', [...this.#options, 'update', '-qq'])
  }

  /** The packages and all they need, as files. */
  fetchWhole(packages: readonly string[]): string[] {
    const flags = ['install', '-y', '-qq', '--download-only', '--no-install-recommends']
    command('apt-get', [...this.#options, ...flags, ...packages])
    return readdirSync(join(this.#folder, 'archives'))
      .filter((name) => name.endsWith('.deb'))
      .map((name) => join(this.#folder, 'archives', name))
  }

  /** The kernel that a package without contents stands for, alone. */
  fetchKernel(standIn: string): string {
    const image = this.#dependency(standIn, 'linux-image-')
    if (image === null) throw new Error(`${standIn} depends on no kernel`)
    // Since Linux 7 the image is a stand-in too; before, it was the kernel and its modules.
    const name = this.#dependency(image, 'linux-binary-') ?? image
    const folder = join(this.#folder, 'kernel')
    mkdirSync(folder, { recursive: true })
    command('apt-get', [...this.#options, 'download', '-qq', name], { cwd: folder })
    const [file] = readdirSync(folder)
    if (file === undefined) throw new Error(`apt-get download ${name} left nothing`)
    return join(folder, file)
  }

  #dependency(name: string, prefix: string): string | null {
    const depends = command('apt-cache', [...this.#options, 'depends', name])
    return new RegExp(`Depends: (${prefix}\\S+)`).exec(depends)?.[1] ?? null
  }
}

/** Makes a root folder with the packages' files; no script of theirs is run. */
export function unpack(files: readonly string[], folder: string): void {
  mkdirSync(folder, { recursive: true })
  // Debian keeps all of them below /usr; the links are made by a script.
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(folder, 'usr', name), { recursive: true })
    symlinkSync(`usr/${name}`, join(folder, name))
  }
  for (const file of files) command('dpkg-deb', ['--extract', file, folder])
}

/** The mirror that the host's own apt has Debian from. */
function mirror(): string {
  const targets = command('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI)',
    'Created-By: Packages',
    'Origin: Debian',
  ])
  const found = targets.split('\n').find((line) => line !== '' && !line.includes('security'))
  if (found === undefined) throw new Error("needs Debian: the host's apt has no mirror of it")
  return found
}
