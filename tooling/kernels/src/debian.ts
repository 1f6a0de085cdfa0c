// Debian's packages. Packages of the host that are missing are installed. Packages of other architectures are
// fetched and unpacked into the cache, by an apt that keeps its own lists and does not read the host's state.
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command, download, DownloadError, hasCommand } from './command.js'
import { release } from './machines.js'

/** Debian's public keys, against which apt checks what it fetches. */
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

// The mirror for hosts that are not Debian's own, such as Ubuntu.
const publicMirror = 'http://deb.debian.org/debian'

/**
 * Installs the packages whose command is missing, and Debian's keys.
 *
 * @throws DownloadError if apt cannot fetch them.
 * @throws Error that names the command to run if this user may not install.
 */
export function installCommands(wanted: readonly (readonly [command: string, debianPackage: string])[]): void {
  const missing = wanted.filter(([name]) => !hasCommand(name)).map(([, debianPackage]) => debianPackage)
  if (!existsSync(keyring)) missing.push('debian-archive-keyring')
  if (missing.length === 0) return
  if (!hasCommand('apt-get')) throw new Error(`this host has no apt-get: install ${missing.join(' ')} by other means`)
  const install = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...missing]
  console.log(`Setting up, once: ${install.join(' ')}`)
  try {
    asRoot(command, ['true'])
    asRoot(download, ['apt-get', 'update', '-qq'])
    asRoot(download, [...install, '--download-only'])
    asRoot(command, install)
  } catch (error) {
    if (error instanceof DownloadError) throw error
    throw new Error(`cannot install ${missing.join(' ')}: run ${install.join(' ')} as root`, { cause: error })
  }
}

function asRoot(run: typeof command, line: readonly string[]): void {
  const [program = '', ...args] = process.getuid?.() === 0 ? line : ['sudo', '-n', ...line]
  run(program, args)
}

/** An apt for one architecture and one of Debian's releases. Everything that it keeps is in `folder`. */
export class Apt {
  readonly #folder: string
  readonly #options: string[]

  /** @throws DownloadError if the lists of packages cannot be fetched. */
  constructor(folder: string, architecture: string, suite: string = release) {
    this.#folder = folder
    for (const name of ['lists/partial', 'archives/partial', 'state']) {
      mkdirSync(join(folder, name), { recursive: true })
    }
    writeFileSync(join(folder, 'status'), '')
    const source = `deb [arch=${architecture} signed-by=${keyring}] ${mirror()} ${suite} main\n`
    writeFileSync(join(folder, 'sources.list'), source)
    const settings = {
      'APT::Architecture': architecture,
      'APT::Architectures': architecture,
      'APT::Sandbox::User': 'root',
      'Acquire::Retries': '3',
      'Dir::State': join(folder, 'state'),
      'Dir::State::Lists': join(folder, 'lists'),
      'Dir::State::status': join(folder, 'status'),
      'Dir::Cache': folder,
      'Dir::Cache::Archives': join(folder, 'archives'),
      'Dir::Etc::SourceList': join(folder, 'sources.list'),
      'Dir::Etc::SourceParts': '/dev/null',
    }
    this.#options = Object.entries(settings).map(([name, value]) => `-o${name}=${value}`)
    // Without the option, lists that cannot be fetched are a warning only.
    download('apt-get', [...this.#options, '-oAPT::Update::Error-Mode=any', 'update', '-qq'])
  }

  /** The files of the packages and of all that they depend on. @throws DownloadError if apt cannot fetch them. */
  fetchWhole(packages: readonly string[]): string[] {
    const flags = ['install', '-y', '-qq', '--download-only', '--no-install-recommends']
    download('apt-get', [...this.#options, ...flags, ...packages])
    return readdirSync(join(this.#folder, 'archives'))
      .filter((name) => name.endsWith('.deb'))
      .map((name) => join(this.#folder, 'archives', name))
  }

  /** The file of the kernel that a metapackage depends on. @throws DownloadError if apt cannot fetch it. */
  fetchKernel(metaPackage: string): string {
    const image = this.#dependency(metaPackage, 'linux-image-')
    if (image === null) throw new Error(`${metaPackage} depends on no kernel`)
    // Since Linux 7 the image package has no contents either. Before, it had the kernel and its modules.
    const name = this.#dependency(image, 'linux-binary-') ?? image
    const folder = join(this.#folder, 'kernel')
    mkdirSync(folder, { recursive: true })
    download('apt-get', [...this.#options, 'download', '-qq', name], { cwd: folder })
    const [file] = readdirSync(folder)
    if (file === undefined) throw new Error(`apt-get download ${name} left no file`)
    return join(folder, file)
  }

  #dependency(name: string, prefix: string): string | null {
    const depends = command('apt-cache', [...this.#options, 'depends', name])
    return new RegExp(`Depends: (${prefix}\\S+)`).exec(depends)?.[1] ?? null
  }
}

/** Unpacks packages into a root folder. None of their scripts runs. */
export function unpack(files: readonly string[], folder: string): void {
  mkdirSync(folder, { recursive: true })
  // Debian has these folders below /usr. On an installed system a package's script makes the links.
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(folder, 'usr', name), { recursive: true })
    symlinkSync(`usr/${name}`, join(folder, name))
  }
  for (const file of files) command('dpkg-deb', ['--extract', file, folder])
}

/** The mirror that the host's own apt fetches Debian from. */
function mirror(): string {
  const flags = ['--format', '$(REPO_URI)', 'Created-By: Packages', 'Origin: Debian']
  const targets = command('apt-get', ['indextargets', ...flags]).split('\n')
  return targets.find((line) => line !== '' && !line.includes('security')) ?? publicMirror
}
