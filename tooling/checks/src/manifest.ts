// Checks the package.json of every published package. Each finding is a sentence that says what to write.
import { barePackages, isOneOf } from './layers.js'
import type { Manifest, WorkspacePackage } from './workspace.js'

/** The scripts that a package manager runs on the user's machine during an install. */
const installScripts = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']

/** Matches one exact version, of the package or of an `npm:` alias. */
const exact = /^(npm:.+@)?\d+\.\d+\.\d+(-[\w.]+)?$/

type Described = Pick<WorkspacePackage, 'name' | 'folder' | 'manifest' | 'files'>

/** Checks a published package's manifest, and returns a sentence for each finding. */
export function checkManifest(pkg: Described): string[] {
  const { manifest, folder } = pkg
  const findings = [
    ...fixedFields(folder, manifest),
    ...checkExports(manifest),
    ...checkDependencies(pkg),
    ...installScripts
      .filter((script) => (manifest['scripts'] as Record<string, string> | undefined)?.[script] !== undefined)
      .map((script) => `the script '${script}' runs on the user's machine during an install: remove it.`),
  ]
  if (!pkg.files.includes(`${folder}/README.md`)) {
    findings.push('the package has no README.md: say what it is, how to install it, and show an example.')
  }
  return findings.map((sentence) => `${folder}/package.json: ${sentence}`)
}

/** Checks that the catalog has one exact version of each third-party package. */
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

/** Checks that a package's third-party dependencies come from the catalog. This is also a rule for private packages. */
export function checkPins(folder: string, manifest: Manifest): string[] {
  const { dependencies, devDependencies, optionalDependencies } = manifest
  return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
    .filter(([name, range]) => !isOurs(name) && !range.startsWith('catalog:') && !exact.test(range))
    .map(
      ([name, range]) =>
        `${folder}/package.json: '${name}: ${range}' is a range: ` +
        'put an exact version into the catalog and write "catalog:".',
    )
}

function fixedFields(folder: string, manifest: Manifest): string[] {
  const { type, sideEffects, license, engines, repository, publishConfig, files, description, os } = manifest
  const published = publishConfig as { access?: unknown; provenance?: unknown } | undefined
  const rows: readonly (readonly [holds: boolean, sentence: string])[] = [
    [type === 'module', 'write "type": "module".'],
    [sideEffects === false, 'write "sideEffects": false, so that a bundler may leave out unused modules.'],
    [license === 'BSD-3-Clause', 'write "license": "BSD-3-Clause".'],
    [
      typeof description === 'string' && description.length > 20,
      'write a "description": one sentence that says what it is.',
    ],
    [(engines as { node?: unknown } | undefined)?.node === '>=22.12', 'write "engines": { "node": ">=22.12" }.'],
    [
      Array.isArray(files) && files.some((file: unknown) => typeof file === 'string' && /^dist(\/|$)/.test(file)),
      'write "files" with "dist" in it: only listed files are published.',
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
      'move "os" into "publishConfig": in the workspace, "os" makes installs fail on every other system.',
    ],
  ]
  return rows.filter(([holds]) => !holds).map(([, sentence]) => sentence)
}

function checkExports({ exports, bin }: Manifest): string[] {
  if (typeof exports !== 'object' || exports === null)
    return ['write "exports": users can then import only what you list there.']
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
        `the entry '${entry}' has "types" after another condition: tools read them in order, so put "types" first.`,
      )
    }
  }
  return findings
}

/**
 * Whether "types" comes first: `{ "types": …, "default": … }`. Nested conditions must do so too:
 * `{ "browser": { "types": …, … }, … }`.
 */
function typesFirst(target: unknown): boolean {
  if (typeof target !== 'object' || target === null) return false
  return Object.keys(target)[0] === 'types' || Object.values(target).every(typesFirst)
}

function checkDependencies({ name, manifest }: Described): string[] {
  const { dependencies, optionalDependencies, peerDependencies } = manifest
  const findings: string[] = []
  for (const [dependency, range] of Object.entries({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
    if (isOurs(dependency)) {
      // With an exact range, each release would also release every package that uses this one.
      if (range !== 'workspace:^')
        findings.push(`'${dependency}: ${range}' ties versions together: write "workspace:^".`)
    } else if (isOneOf(name, barePackages)) {
      findings.push(`${name} may not have third-party dependencies: remove '${dependency}'.`)
    }
  }
  return findings
}

function isOurs(name: string): boolean {
  return name === 'memlayer' || name.startsWith('@memlayer/')
}
