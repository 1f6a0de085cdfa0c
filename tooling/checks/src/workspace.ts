// Reads the workspace for the checks: the files that git would commit, and the packages. It contains no list of
// names, so the checks also cover a package that is added later.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The fields of a package.json that the checks read. Every field may be missing. */
export interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly private?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

/** A package of the workspace. */
export interface WorkspacePackage {
  /** The name in its manifest. */
  readonly name: string
  /** The folder relative to the root, with slashes: `packages/core`. */
  readonly folder: string
  readonly manifest: Manifest
  /** Whether releases publish the package. */
  readonly isPublic: boolean
  /** Its files that git would commit, relative to the root, with slashes. */
  readonly files: readonly string[]
}

/** A checkout. */
export interface Workspace {
  readonly root: string
  /** The files that git would commit: tracked files, and new files that git does not ignore. */
  readonly files: readonly string[]
  readonly packages: readonly WorkspacePackage[]
}

/** The checkout that contains this file. */
export const checkout: string = join(import.meta.dirname, '..', '..', '..')

/** Reads a checkout: its files from git, its packages from their manifests. */
export function readWorkspace(root: string = checkout): Workspace {
  const files = gitFiles(root)
  const manifests = files.filter((file) => /^(packages|tooling)\/[^/]+\/package\.json$/.test(file))
  return { root, files, packages: manifests.map((file) => readPackage(root, file, files)) }
}

/** Reads a file of the workspace, with line ends as git commits them. */
export function readText(root: string, file: string): string {
  return readFileSync(join(root, file), 'utf8').replaceAll('\r\n', '\n')
}

/** Returns the published packages. */
export function publicPackages(workspace: Workspace): WorkspacePackage[] {
  return workspace.packages.filter((pkg) => pkg.isPublic)
}

function readPackage(root: string, file: string, files: readonly string[]): WorkspacePackage {
  const manifest = JSON.parse(readText(root, file)) as Manifest
  const folder = file.slice(0, -'/package.json'.length)
  return {
    name: manifest.name ?? folder,
    folder,
    manifest,
    isPublic: manifest.private !== true,
    files: files.filter((path) => path.startsWith(`${folder}/`)),
  }
}

function gitFiles(root: string): string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 }).split('\0')
  // git's index still lists a deleted file until the deletion is committed.
  return [...new Set(listed)].filter((file) => file !== '' && existsSync(join(root, file))).toSorted()
}
