// What users get: each published package packed as it would be published, and looked at by publint
// (does what the manifest says exist and load?) and by attw (do types and code agree, for every
// way of resolving?).
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { problemAffectsResolutionKind, problemKindInfo } from '@arethetypeswrong/core/problems'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { runTool } from './tool.js'
import type { Manifest } from './workspace.js'

/** A package as it would be published. */
export interface Tarball {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The paths in it: `dist/index.js`. */
  readonly files: readonly string[]
  /** The manifest in it, its workspace and catalog ranges resolved. */
  readonly manifest: Manifest
}

/** Packs the package in `folder`, an absolute path. */
export function pack(folder: string): Tarball {
  const destination = mkdtempSync(join(tmpdir(), 'memlayer-pack-'))
  try {
    const { code, stdout, stderr } = runTool('pnpm', ['pack', '--pack-destination', destination], folder)
    const [name] = readdirSync(destination)
    if (code !== 0 || name === undefined) throw new Error(`pnpm does not pack ${folder}: ${stdout}${stderr}`)
    const bytes = new Uint8Array(readFileSync(join(destination, name)))
    const tree = createPackageFromTarballData(bytes)
    const top = `/node_modules/${tree.packageName}/`
    return {
      bytes,
      files: tree.listFiles(top).map((file) => file.slice(top.length)),
      manifest: JSON.parse(tree.readFile(`${top}package.json`)) as Manifest,
    }
  } finally {
    rmSync(destination, { recursive: true })
  }
}

/** Sentences about what is, and is not, in the tarball. */
export function checkContents({ files, manifest }: Pick<Tarball, 'files' | 'manifest'>): string[] {
  const findings = ['LICENSE', 'package.json']
    .filter((file) => !files.includes(file))
    .map((file) => `${file} is not in the tarball: put it at the root, or beside package.json.`)
  for (const file of files) {
    // What is under template/ is another package's, whole.
    if (file.startsWith('template/') || !/(^|\/)(test|node_modules|temp)\/|\.tsbuildinfo$|\.tgz$/.test(file)) continue
    findings.push(`${file} is in the tarball and of no use there: leave it out with "files" in package.json.`)
  }
  const { dependencies, optionalDependencies, peerDependencies } = manifest
  for (const [name, range] of Object.entries({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
    if (/^(workspace|catalog|link|file):/.test(range))
      findings.push(`'${name}: ${range}' means nothing outside of the workspace.`)
  }
  return findings
}

/** publint's findings, its suggestions included. */
export async function checkWithPublint({ bytes }: Tarball): Promise<string[]> {
  const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer }, strict: true })
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false }) ?? message.code}`)
}

/** attw's findings, for users of ES modules: Node's own resolution from ES modules, and bundlers'. */
export async function checkWithAttw({ bytes }: Tarball): Promise<string[]> {
  const analysis = await checkPackage(createPackageFromTarballData(bytes))
  if (analysis.types === false) return ['attw: no types in the tarball: build first, and list dist in "files".']
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
