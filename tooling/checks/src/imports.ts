// Checks each import of every package against the layers. It reads source, not built files, so that an
// imported type counts too.
import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import { browserPackages, isOneOf, layerOf, layersOfTests, shortName } from './layers.js'
import { parseSource } from './source.js'
import { readText, type Manifest, type Workspace, type WorkspacePackage } from './workspace.js'

/** One import, with its file and line. */
export interface PlacedImport {
  readonly file: string
  readonly line: number
  readonly specifier: string | null
}

/** The part of a package that the rules read. */
export type ImportingPackage = Pick<WorkspacePackage, 'name' | 'folder' | 'manifest' | 'isPublic'>

const builtins = new Set(builtinModules)

/** Returns every import of a package's files and of its manifest's `imports`. */
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

/** Returns a sentence for every import that the layers forbid. */
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

/** Returns a sentence about one import if it is forbidden, else an empty list. */
export function checkImport(pkg: ImportingPackage, one: PlacedImport, packages: readonly ImportingPackage[]): string[] {
  const { specifier } = one
  // A computed name is chosen at run time (ffi's engine for this host). The manifest lists its candidates.
  if (specifier === null || specifier.startsWith('#')) return []
  const say = (sentence: string): string[] => [`${one.file}:${one.line}: ${sentence}`]
  if (specifier.startsWith('.')) {
    const target = posix.join(one.file, '..', specifier)
    if (!target.startsWith(`${pkg.folder}/`))
      return say(`'${specifier}' leaves the package: import the other package by its name.`)
    const backwards = isShipped(pkg, one.file) && !isShipped(pkg, target)
    return backwards ? say(`'${specifier}' is not published with the package: move the needed code into src/.`) : []
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

/** Returns a sentence for each import of a runtime's module. Reads the files that relative imports of `entry` reach. */
export function checkBrowserImports(entry: string, placed: readonly PlacedImport[]): string[] {
  const findings: string[] = []
  const reached = new Set([entry])
  // The loop also visits files that are added to the set during the loop.
  for (const file of reached) {
    for (const one of placed.filter((other) => other.file === file)) {
      const specifier = one.specifier ?? ''
      if (specifier.startsWith('.')) reached.add(posix.join(file, '..', specifier).replace(/\.([cm]?)js$/, '.$1ts'))
      if (!isRuntimes(specifier)) continue
      findings.push(
        `${file}:${one.line}: a browser loads this file but has no '${specifier}': take what you need as an argument.`,
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
  const importer = `${shortName(pkg.name)}${shipped ? '' : "'s tests"}`
  return `the layers forbid '${shortName(target.name)}' here: ${importer} may import ${list}.`
}

/** Returns a sentence for each dependency that the package does not import. Every user would install it for nothing. */
function unusedDependencies(pkg: WorkspacePackage, placed: readonly PlacedImport[]): string[] {
  if (!pkg.isPublic) return []
  const used = new Set(placed.map(({ specifier }) => packageName(specifier ?? '')))
  return Object.keys(pkg.manifest.dependencies ?? {})
    .filter((name) => !used.has(name))
    .map((name) => `${pkg.folder}/package.json: no file imports '${name}': remove it from the dependencies.`)
}

/** Whether a file is in src/, bin/, test/, bench/ or directly in the package. A file elsewhere (a template) is data. */
function isSource(pkg: ImportingPackage, file: string): boolean {
  return /^((src|bin|test|bench)\/.*|[^/]*)\.[cm]?[jt]sx?$/.test(file.slice(pkg.folder.length + 1))
}

function isShipped(pkg: ImportingPackage, file: string): boolean {
  return /^(src|bin)\//.test(file.slice(pkg.folder.length + 1))
}

function declares(pkg: ImportingPackage, name: string, shipped: boolean): boolean {
  const { dependencies, peerDependencies, optionalDependencies, devDependencies } = pkg.manifest
  // A package that only peerDependenciesMeta names is an optional peer of any version.
  const anyPeers = pkg.manifest['peerDependenciesMeta'] as Readonly<Record<string, unknown>> | undefined
  const lists: (Readonly<Record<string, unknown>> | undefined)[] = [
    dependencies,
    peerDependencies,
    optionalDependencies,
    anyPeers,
  ]
  // An unpublished package is always installed with its devDependencies.
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
  // The entry './*' matches every path.
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

/** Returns a sentence for every cycle of packages. Tests count too, because turbo builds in the order of imports. */
export function cycles(uses: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const findings: string[] = []
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): void => {
    const at = path.indexOf(name)
    if (at !== -1) findings.push(`packages import each other in a cycle: ${[...path.slice(at), name].join(' -> ')}.`)
    if (at !== -1 || done.has(name)) return
    for (const next of uses.get(name) ?? []) visit(next, [...path, name])
    done.add(name)
  }
  for (const name of uses.keys()) visit(name, [])
  return findings
}
