// What the package.json of every published package has to say. A finding tells what to write where.
import { barePackages, isOneOf } from './layers.js'
import type { Manifest, WorkspacePackage } from './workspace.js'

/** The scripts that a package manager runs on the machine that installs. */
const installScripts = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']

/** Matches one exact version, of the package or of an `npm:` alias. */
const exact = /^(npm:.+@)?\d+\.\d+\.\d+(-[\w.]+)?$/

type Described = Pick<WorkspacePackage, 'name' | 'folder' | 'manifest' | 'files'>

/** Sentences about a published package's manifest. */
export function checkManifest(pkg: Described): string[] {
  const { manifest, folder } = pkg
  const findings = [
    ...fixedFields(folder, manifest),
    ...checkExports(manifest),
    ...checkDependencies(pkg),
    ...installScripts
      .filter((script) => (manifest['scripts'] as Record<string, string> | undefined)?.[script] !== undefined)
      .map((script) => `remove the script '${script}', because it runs on every machine that installs the package.`),
  ]
  if (!pkg.files.includes(`${folder}/README.md`)) {
    findings.push('write a README.md beside it: what the package is, how to install it, and an example.')
  }
  return findings.map((sentence) => `${folder}/package.json: ${sentence}`)
}

/** Sentences about the catalog: one exact version of each third-party package. */
export function checkCatalog(yaml: string): string[] {
  const findings: string[] = []
  let inCatalog = false
  for (const line of yaml.split('\n')) {
    if (/^\S/.test(line) && !line.startsWith('#')) inCatalog = /^catalogs?:/.test(line)
    const [, name, version] = /^\s+["']?([^"'\s:]+)["']?:\s+["']?([^"'\s#]+)/.exec(line) ?? []
    if (!inCatalog || name === undefined || version === undefined || exact.test(version)) continue
    findings.push(`pnpm-workspace.yaml: '${name}: ${version}' is a range. Pin one version exactly.`)
  }
  return findings
}

/** Sentences about third-party dependencies that do not come from the catalog. Private packages count too. */
export function checkPins(folder: string, manifest: Manifest): string[] {
  const { dependencies, devDependencies, optionalDependencies } = manifest
  return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
    .filter(([name, range]) => !isOurs(name) && !range.startsWith('catalog:') && !exact.test(range))
    .map(
      ([name, range]) =>
        `${folder}/package.json: '${name}: ${range}' is a range. Pin one version in the catalog and write "catalog:".`,
    )
}

function fixedFields(folder: string, manifest: Manifest): string[] {
  const { type, sideEffects, license, engines, repository, publishConfig, files, description, os } = manifest
  const published = publishConfig as { access?: unknown; provenance?: unknown } | undefined
  const rows: readonly (readonly [holds: boolean, sentence: string])[] = [
    [type === 'module', 'write "type": "module".'],
    [
      sideEffects === false,
      'write "sideEffects": false, so that a bundler may leave out what a program does not import.',
    ],
    [license === 'BSD-3-Clause', 'write "license": "BSD-3-Clause".'],
    [
      typeof description === 'string' && description.length > 20,
      'write a "description", one sentence that says what it is.',
    ],
    [(engines as { node?: unknown } | undefined)?.node === '>=22.12', 'write "engines": { "node": ">=22.12" }.'],
    [
      Array.isArray(files) && files.some((file: unknown) => typeof file === 'string' && /^dist(\/|$)/.test(file)),
      'write "files" with "dist" in it, because npm publishes only what it lists.',
    ],
    [
      (repository as { directory?: unknown } | undefined)?.directory === folder,
      `write "repository" with "directory": "${folder}".`,
    ],
    [
      published?.access === 'public' && published.provenance === true,
      'write "publishConfig": { "access": "public", "provenance": true }. Without it a scoped package is private.',
    ],
    [
      os === undefined,
      'move "os" into "publishConfig", because in the workspace it makes installs fail on every other system.',
    ],
  ]
  return rows.filter(([holds]) => !holds).map(([, sentence]) => sentence)
}

function checkExports({ exports, bin }: Manifest): string[] {
  if (typeof exports !== 'object' || exports === null)
    return ['write "exports", because what it leaves out is free to change.']
  const findings: string[] = []
  const entries = Object.entries(exports as Record<string, unknown>)
  if (!entries.some(([, target]) => typeof target === 'object') && bin === undefined) {
    findings.push(
      '"exports" has no entry with types. Write ".": { "types": "./dist/index.d.ts", "default": "./dist/index.js" }.',
    )
  }
  for (const [entry, target] of entries) {
    if (typeof target === 'string') {
      if (/\.[cm]?js$/.test(target))
        findings.push(`the entry '${entry}' has no types. Write { "types": …, "default": "${target}" }.`)
    } else if (!typesFirst(target)) {
      findings.push(`put "types" first in the entry '${entry}', because conditions are read in order.`)
    }
  }
  return findings
}

/** Whether "types" comes first, at the top or in each condition: `{ "browser": { "types": …, … }, … }`. */
function typesFirst(target: unknown): boolean {
  if (typeof target !== 'object' || target === null) return false
  return Object.keys(target)[0] === 'types' || Object.values(target).every(typesFirst)
}

function checkDependencies({ name, manifest }: Described): string[] {
  const { dependencies, optionalDependencies, peerDependencies } = manifest
  const findings: string[] = []
  for (const [dependency, range] of Object.entries({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
    if (isOurs(dependency)) {
      // With an exact range each release would move every package that uses it.
      if (range !== 'workspace:^')
        findings.push(`'${dependency}: ${range}' ties versions together. Write "workspace:^".`)
    } else if (isOneOf(name, barePackages)) {
      findings.push(`remove '${dependency}', because ${name} may have no third-party dependency.`)
    }
  }
  return findings
}

function isOurs(name: string): boolean {
  return name === 'memlayer' || name.startsWith('@memlayer/')
}
