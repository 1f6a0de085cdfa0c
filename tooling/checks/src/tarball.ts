// Packs each published package as a release would publish it, and checks the tarball that users get. publint checks
// that the files named in the manifest exist and load. attw checks that types and code agree for every way of
// resolving.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { problemAffectsResolutionKind, problemKindInfo } from '@arethetypeswrong/core/problems'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { runTool } from './tool.js'
import { publicPackages, type Manifest, type Workspace } from './workspace.js'

/** A package as a release would publish it. */
export interface Tarball {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The paths in the tarball: `dist/index.js`. */
  readonly files: readonly string[]
  /** The manifest in the tarball, with workspace and catalog ranges resolved. */
  readonly manifest: Manifest
}

/** Packs the package in `folder`, which is an absolute path. */
export function pack(folder: string): Tarball {
  const [tarball] = packWith([], folder)
  if (tarball === undefined) throw new Error(`pnpm packed nothing in ${folder}`)
  return tarball
}

/** Packs all published packages of a workspace by one command, in order of their folders. */
export function packAll(workspace: Workspace): Tarball[] {
  const names = publicPackages(workspace).map(({ name }) => name)
  const tarballs = packWith(['--recursive', ...names.flatMap((name) => ['--filter', name])], workspace.root)
  return names.map((name) => {
    const tarball = tarballs.find(({ manifest }) => manifest.name === name)
    if (tarball === undefined) throw new Error(`pnpm did not pack ${name}`)
    return tarball
  })
}

function packWith(args: readonly string[], folder: string): Tarball[] {
  const destination = mkdtempSync(join(tmpdir(), 'memlayer-pack-'))
  try {
    const { code, stdout, stderr } = runTool('pnpm', [...args, 'pack', '--pack-destination', destination], folder)
    if (code !== 0) throw new Error(`pnpm failed to pack in ${folder}: ${stdout}${stderr}`)
    return readdirSync(destination).map((name) => read(join(destination, name)))
  } finally {
    rmSync(destination, { recursive: true })
  }
}

function read(path: string): Tarball {
  const bytes = new Uint8Array(readFileSync(path))
  const tree = createPackageFromTarballData(bytes)
  const top = `/node_modules/${tree.packageName}/`
  return {
    bytes,
    files: tree.listFiles(top).map((file) => file.slice(top.length)),
    manifest: JSON.parse(tree.readFile(`${top}package.json`)) as Manifest,
  }
}

/** Returns a sentence for each file that is missing in the tarball or should not be there. */
export function checkContents({ files, manifest }: Pick<Tarball, 'files' | 'manifest'>): string[] {
  const findings = ['LICENSE', 'package.json']
    .filter((file) => !files.includes(file))
    .map((file) => `${file} is not in the tarball: put it at the root, or beside package.json.`)
  for (const file of files) {
    // The files under template/ are a whole other package.
    if (file.startsWith('template/') || !/(^|\/)(test|node_modules|temp)\/|\.tsbuildinfo$|\.tgz$/.test(file)) continue
    findings.push(`${file} is in the tarball but users don't need it: exclude it with "files" in package.json.`)
  }
  const { dependencies, optionalDependencies, peerDependencies } = manifest
  for (const [name, range] of Object.entries({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
    if (/^(workspace|catalog|link|file):/.test(range))
      findings.push(`'${name}: ${range}' does not resolve outside of the workspace: write a version range.`)
  }
  return findings
}

/** Returns publint's findings, including its suggestions. */
export async function checkWithPublint({ bytes }: Tarball): Promise<string[]> {
  const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer }, strict: true })
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false }) ?? message.code}`)
}

/** Returns attw's findings for users of ES modules: resolution by Node from an ES module, and by bundlers. */
export async function checkWithAttw({ bytes }: Tarball): Promise<string[]> {
  const analysis = await checkPackage(createPackageFromTarballData(bytes))
  if (analysis.types === false) return ['attw: the tarball has no types: run npm run build, and list dist in "files".']
  return analysis.problems
    .filter((problem) =>
      ['node16-esm', 'bundler'].some((kind) => problemAffectsResolutionKind(problem, kind as 'bundler', analysis)),
    )
    .map((problem) => {
      const { title, docsUrl } = problemKindInfo[problem.kind]
      const place = Object.values(problem).filter((value) => typeof value === 'string')
      return `attw: ${title} (${place.join(', ')}), see ${docsUrl}`
    })
}
