// The directions of imports: each import of every package against the layers. Reads source, not
// what is built, so that a type that is imported counts too.
import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import { browserPackages, isOneOf, layerOf, layersOfTests, shortName } from './layers.js'
import { parseSource } from './source.js'
import { readText, type Manifest, type Workspace, type WorkspacePackage } from './workspace.js'

/** One import of one file, with what is known of where it stands. */
export interface PlacedImport {
  readonly file: string
  readonly line: number
  readonly specifier: string | null
}

/** What of a package the rules look at. */
export type ImportingPackage = Pick<WorkspacePackage, 'name' | 'folder' | 'manifest' | 'isPublic'>

const builtins = new Set(builtinModules)

/** Every import of a package: of its files, and of its manifest's `imports`. */
export function importsOf(root: string, pkg: WorkspacePackage): PlacedImport[] {
  const placed: PlacedImport[] = []
  for (const file of pkg.files.filter((path) => isSource(pkg, path))) {
    for (const { specifier, line } of parseSource(file, readText(root, file)).imports) {
      placed.push({ file, line, specifier })
    }
  }
  for (const specifier of stringsIn(pkg.manifest['imports'])) {
    placed.push({ file: `${pkg.folder}/package.json`, line: 1, specifier })
  }
  return placed
}

/** Sentences about every import that the layers forbid. */
export function checkImports(workspace: Workspace): string[] {
  const findings: string[] = []
  const uses = new Map<string, Set<string>>()
  for (const pkg of workspace.packages) {
    const placed = importsOf(workspace.root, pkg)
    findings.push(...placed.flatMap((one) => checkImport(pkg, one, workspace.packages)))
    if (isOneOf(pkg.name, browserPackages)) findings.push(...checkBrowserImports(`${pkg.folder}/src/index.ts`, placed))
    findings.push(...unusedDependencies(pkg, placed))
    uses.set(pkg.name, workspaceNames(pkg, placed, workspace.packages))
  }
  return [...findings, ...cycles(uses)]
}

/** A sentence about one import, if it is forbidden. */
export function checkImport(pkg: ImportingPackage, one: PlacedImport, packages: readonly ImportingPackage[]): string[] {
  const { specifier } = one
  // A computed name is a choice made at run time (ffi's engine for this host); its candidates are in the manifest.
  if (specifier === null || specifier.startsWith('#')) return []
  const say = (sentence: string): string[] => [`${one.file}:${one.line}: ${sentence}`]
  if (specifier.startsWith('.')) {
    const target = posix.join(one.file, '..', specifier)
    if (!target.startsWith(`${pkg.folder}/`))
      return say(`'${specifier}' leaves the package: import the other one by its name.`)
    const backwards = isShipped(pkg, one.file) && !isShipped(pkg, target)
    return backwards ? say(`'${specifier}' is not published with the package: move what is needed into src/.`) : []
  }
  if (isRuntimes(specifier)) return []
  const name = packageName(specifier)
  if (name === pkg.name) return []
  const target = packages.find((other) => other.name === name)
  if (target !== undefined) {
    const sentence = checkDirection(pkg, target, specifier, isShipped(pkg, one.file))
    if (sentence !== null) return say(sentence)
  }
  return declares(pkg, name, isShipped(pkg, one.file))
    ? []
    : say(`'${name}' is not among the dependencies of ${pkg.name}: add it to ${pkg.folder}/package.json.`)
}

/** Sentences about imports of a runtime's own modules, in what `entry` reaches by relative imports. */
export function checkBrowserImports(entry: string, placed: readonly PlacedImport[]): string[] {
  const findings: string[] = []
  const reached = new Set([entry])
  // A set that grows while it is walked is walked to its end.
  for (const file of reached) {
    for (const one of placed.filter((other) => other.file === file)) {
      const specifier = one.specifier ?? ''
      if (specifier.startsWith('.')) reached.add(posix.join(file, '..', specifier).replace(/\.([cm]?)js$/, '.$1ts'))
      if (!isRuntimes(specifier)) continue
      findings.push(
        `${file}:${one.line}: a browser loads this file, and has no '${specifier}': take what is needed as an argument.`,
      )
    }
  }
  return findings
}

function checkDirection(
  pkg: ImportingPackage,
  target: ImportingPackage,
  specifier: string,
  shipped: boolean,
): string | null {
  if (specifier !== target.name && !exportsPath(target.manifest, specifier.slice(target.name.length))) {
    return `'${specifier}' is not an entry of ${target.name}: import what its manifest exports.`
  }
  if (!pkg.isPublic) return null
  if (shipped && !target.isPublic)
    return `${pkg.name} is published and ${target.name} is not: only its tests may import it.`
  const row = layerOf(pkg.name)
  if (!target.isPublic || row === null) return null
  const allowed = shipped ? row : [...row, ...layersOfTests]
  if (isOneOf(target.name, allowed)) return null
  const list = allowed.length === 0 ? 'nothing' : allowed.join(', ')
  return `arrows never turn back: ${shortName(pkg.name)}${shipped ? '' : "'s tests"} may import ${list}, and ${shortName(target.name)} is none of them.`
}

/** Dependencies that nothing of the package imports cost every user an install. */
function unusedDependencies(pkg: WorkspacePackage, placed: readonly PlacedImport[]): string[] {
  if (!pkg.isPublic) return []
  const used = new Set(placed.map(({ specifier }) => packageName(specifier ?? '')))
  return Object.keys(pkg.manifest.dependencies ?? {})
    .filter((name) => !used.has(name))
    .map((name) => `${pkg.folder}/package.json: nothing imports '${name}': take it out of the dependencies.`)
}

/** src/, bin/, test/, bench/ and the package's own folder; what lies elsewhere (a template) is data until it is used. */
function isSource(pkg: ImportingPackage, file: string): boolean {
  return /^((src|bin|test|bench)\/.*|[^/]*)\.[cm]?[jt]sx?$/.test(file.slice(pkg.folder.length + 1))
}

function isShipped(pkg: ImportingPackage, file: string): boolean {
  return /^(src|bin)\//.test(file.slice(pkg.folder.length + 1))
}

function declares(pkg: ImportingPackage, name: string, shipped: boolean): boolean {
  const { dependencies, peerDependencies, optionalDependencies, devDependencies } = pkg.manifest
  // Named there alone, a package is a peer of any version that nobody has to have.
  const anyPeers = pkg.manifest['peerDependenciesMeta'] as Readonly<Record<string, unknown>> | undefined
  const lists: (Readonly<Record<string, unknown>> | undefined)[] = [
    dependencies,
    peerDependencies,
    optionalDependencies,
    anyPeers,
  ]
  // What is not published is installed with all it has.
  if (!shipped || !pkg.isPublic) lists.push(devDependencies)
  return lists.some((list) => list?.[name] !== undefined)
}

function isRuntimes(specifier: string): boolean {
  return /^(node|bun|deno):/.test(specifier) || builtins.has(specifier)
}

function packageName(specifier: string): string {
  const [scope, name] = specifier.split('/')
  return scope?.startsWith('@') === true ? `${scope}/${name}` : (scope ?? '')
}

function exportsPath(manifest: Manifest, path: string): boolean {
  const exported = manifest['exports']
  if (typeof exported !== 'object' || exported === null) return false
  // './*' is every path.
  return Object.keys(exported).some((entry) => {
    const [before = '', after] = entry.split('*')
    return after === undefined ? entry === `.${path}` : `.${path}`.startsWith(before) && path.endsWith(after)
  })
}

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : []
}

function workspaceNames(
  pkg: WorkspacePackage,
  placed: readonly PlacedImport[],
  all: readonly WorkspacePackage[],
): Set<string> {
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = pkg.manifest
  const names = new Set(
    Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies, ...peerDependencies }),
  )
  for (const { specifier } of placed) names.add(packageName(specifier ?? ''))
  names.delete(pkg.name)
  return new Set(all.map(({ name }) => name).filter((name) => names.has(name)))
}

/** A sentence for every cycle of packages, tests counted: turbo builds in the order of the arrows. */
export function cycles(uses: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const findings: string[] = []
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): void => {
    const at = path.indexOf(name)
    if (at !== -1) findings.push(`packages import each other in a circle: ${[...path.slice(at), name].join(' -> ')}.`)
    if (at !== -1 || done.has(name)) return
    for (const next of uses.get(name) ?? []) visit(next, [...path, name])
    done.add(name)
  }
  for (const name of uses.keys()) visit(name, [])
  return findings
}
