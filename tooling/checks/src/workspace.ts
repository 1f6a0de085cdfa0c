// The workspace as the checks see it: what git would commit, and the packages in it. Nothing
// here is a list of names, so a package that is added later is checked like the others.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A package.json, as far as the checks read it: nothing in it is taken for granted. */
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
  /** Its manifest's name. */
  readonly name: string
  /** From the root, with slashes: `packages/core`. */
  readonly folder: string
  readonly manifest: Manifest
  /** Whether it is published. */
  readonly isPublic: boolean
  /** What git would commit of it, from the root, with slashes. */
  readonly files: readonly string[]
}

/** A checkout. */
export interface Workspace {
  readonly root: string
  /** What git would commit: tracked files and new ones that are not ignored. */
  readonly files: readonly string[]
  readonly packages: readonly WorkspacePackage[]
}

/** The checkout that this file is part of. */
export const checkout: string = join(import.meta.dirname, '..', '..', '..')

/** Reads a checkout: its files from git, its packages from their manifests. */
export function readWorkspace(root: string = checkout): Workspace {
  const files = gitFiles(root)
  const manifests = files.filter((file) => /^(packages|tooling)\/[^/]+\/package\.json$/.test(file))
  return { root, files, packages: manifests.map((file) => readPackage(root, file, files)) }
}

/** A file of the workspace, with line ends as they are committed. */
export function readText(root: string, file: string): string {
  return readFileSync(join(root, file), 'utf8').replaceAll('\r\n', '\n')
}

/** The packages that are published. */
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
  // A file that was deleted and not yet committed is still in git's index.
  return [...new Set(listed)].filter((file) => file !== '' && existsSync(join(root, file))).toSorted()
}
