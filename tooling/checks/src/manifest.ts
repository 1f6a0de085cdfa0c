// What every published package says of itself in its package.json. Sentences tell what to write where.
import { barePackages, isOneOf } from './layers.js'
import type { Manifest, WorkspacePackage } from './workspace.js'

/** The scripts that a package manager runs on the machine of whoever installs. */
const installScripts = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']

/** One version, of the package or of another that stands in for it. */
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
      .map((script) => `a script '${script}' runs on the machine of whoever installs: take it out.`),
  ]
  if (!pkg.files.includes(`${folder}/README.md`)) {
    findings.push('no README.md beside it: say what the package is, how to install it, and show an example.')
  }
  return findings.map((sentence) => `${folder}/package.json: ${sentence}`)
}

/** Sentences about the catalog: one exact version of each third-party package. */
export function checkCatalog(yaml: string): string[] {
  const findings: string[] = []
  let inCatalog = false
  for (const line of yaml.split('\n')) {
    if (/^\S/.test(line) && !line.startsWith('#')) inCatalog = /^catalogs?:/.test(line)
    const [, name, version] = /^\s+"?([^"\s:]+)"?:\s+["']?([^"'\s#]+)/.exec(line) ?? []
    if (!inCatalog || name === undefined || version === undefined || exact.test(version)) continue
    findings.push(`pnpm-workspace.yaml: '${name}: ${version}' is a range: pin one version exactly.`)
  }
  return findings
}

/** Sentences about a package's third-party dependencies: they come from the catalog. Every package, private ones too. */
export function checkPins(folder: string, manifest: Manifest): string[] {
  const { dependencies, devDependencies, optionalDependencies } = manifest
  return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
    .filter(([name, range]) => !isOurs(name) && !range.startsWith('catalog:') && !exact.test(range))
    .map(
      ([name, range]) =>
        `${folder}/package.json: '${name}: ${range}' is a range: put an exact version into the catalog and write "catalog:".`,
    )
}

function fixedFields(folder: string, manifest: Manifest): string[] {
  const { type, sideEffects, license, engines, repository, publishConfig, files, description, os } = manifest
  const published = publishConfig as { access?: unknown; provenance?: unknown } | undefined
  const rows: readonly (readonly [holds: boolean, sentence: string])[] = [
    [type === 'module', 'write "type": "module".'],
    [sideEffects === false, 'write "sideEffects": false, so that a bundler may leave out what nobody imports.'],
    [license === 'BSD-3-Clause', 'write "license": "BSD-3-Clause".'],
    [
      typeof description === 'string' && description.length > 20,
      'write a "description": one sentence that says what it is.',
    ],
    [(engines as { node?: unknown } | undefined)?.node === '>=22.12', 'write "engines": { "node": ">=22.12" }.'],
    [
      Array.isArray(files) && files.some((file: unknown) => typeof file === 'string' && /^dist(\/|$)/.test(file)),
      'write "files" with "dist" in it: what is not listed is not published.',
    ],
    [
      (repository as { directory?: unknown } | undefined)?.directory === folder,
      `write "repository" with "directory": "${folder}".`,
    ],
    [
      published?.access === 'public' && published.provenance === true,
      'write "publishConfig": { "access": "public", "provenance": true }: a scoped package is private without it.',
    ],
    [
      os === undefined,
      'move "os" into "publishConfig": in the workspace it makes installs fail on every other system.',
    ],
  ]
  return rows.filter(([holds]) => !holds).map(([, sentence]) => sentence)
}

function checkExports({ exports, bin }: Manifest): string[] {
  if (typeof exports !== 'object' || exports === null)
    return ['write "exports": what is not exported there is free to change.']
  const findings: string[] = []
  const entries = Object.entries(exports as Record<string, unknown>)
  if (!entries.some(([, target]) => typeof target === 'object') && bin === undefined) {
    findings.push(
      '"exports" has no entry with types: write ".": { "types": "./dist/index.d.ts", "default": "./dist/index.js" }.',
    )
  }
  for (const [entry, target] of entries) {
    if (typeof target === 'string') {
      if (/\.[cm]?js$/.test(target))
        findings.push(`the entry '${entry}' has no types: write { "types": …, "default": "${target}" }.`)
    } else if (!typesFirst(target)) {
      findings.push(
        `the entry '${entry}' names its types after something else: conditions are read in order, so put "types" first.`,
      )
    }
  }
  return findings
}

/** `{ "types": …, "default": … }`, or conditions that are each so: `{ "browser": { "types": …, … }, … }`. */
function typesFirst(target: unknown): boolean {
  if (typeof target !== 'object' || target === null) return false
  return Object.keys(target)[0] === 'types' || Object.values(target).every(typesFirst)
}

function checkDependencies({ name, manifest }: Described): string[] {
  const { dependencies, optionalDependencies, peerDependencies } = manifest
  const findings: string[] = []
  for (const [dependency, range] of Object.entries({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
    if (isOurs(dependency)) {
      // An exact range would move every package that uses it at each release.
      if (range !== 'workspace:^')
        findings.push(`'${dependency}: ${range}' ties versions together: write "workspace:^".`)
    } else if (isOneOf(name, barePackages)) {
      findings.push(`${name} has no third-party dependency, and '${dependency}' is one: do without it.`)
    }
  }
  return findings
}

function isOurs(name: string): boolean {
  return name === 'memlayer' || name.startsWith('@memlayer/')
}
