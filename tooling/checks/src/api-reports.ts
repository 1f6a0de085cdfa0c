// API reports: what each entry of each published package exports, as text that is committed beside it
// (`packages/core/etc/index.api.md`). A change of the API shows as a change of that file, and a test
// fails until it was made on purpose: update-reports.ts writes them, `npm run api` runs that.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type ExtractorMessage,
  type IConfigFile,
} from '@microsoft/api-extractor'
import { checkout, type WorkspacePackage } from './workspace.js'

/** One entry of a package, as its manifest exports it. */
export interface Entry {
  /** The package's folder, from the root. */
  readonly folder: string
  /** `index` for '.', `os` for './os'. */
  readonly name: string
  /** Its declarations, from the package's folder: `dist/index.d.ts`. */
  readonly declarations: string
}

const base = join(checkout, 'tooling', 'api-extractor', 'api-extractor-base.json')

/** The entries of a package that have types. */
export function entriesOf({ folder, manifest }: Pick<WorkspacePackage, 'folder' | 'manifest'>): Entry[] {
  const entries: Entry[] = []
  for (const [path, target] of Object.entries((manifest['exports'] ?? {}) as Record<string, unknown>)) {
    const [first, ...others] = new Set(typesIn(target))
    if (first === undefined) continue
    const name = path === '.' ? 'index' : path.slice('./'.length).replaceAll('/', '-')
    const further = others.map((types) => ({ name: `${name}.${basename(types, '.d.ts')}`, types }))
    for (const one of [{ name, types: first }, ...further]) {
      entries.push({ folder, name: one.name, declarations: one.types.replace(/^\.\//, '') })
    }
  }
  return entries
}

/** The reports that are committed in a package and that no entry has. */
export function strayReports(pkg: WorkspacePackage): string[] {
  const known = new Set(entriesOf(pkg).map((entry) => reportFile(entry)))
  return pkg.files.filter(
    (file) => file.startsWith(`${pkg.folder}/etc/`) && file.endsWith('.api.md') && !known.has(file),
  )
}

/** Where the report of an entry is committed, from the root. */
export function reportFile({ folder, name }: Entry): string {
  return `${folder}/etc/${name}.api.md`
}

/**
 * Makes the reports of `entries` anew. `update`: writes them. Otherwise nothing is written, and a report that
 * is not as committed is a finding, as is whatever API Extractor has to say.
 */
export function runReports(root: string, entries: readonly Entry[], update: boolean): string[] {
  const missing = entries.filter((entry) => !existsSync(join(root, entry.folder, entry.declarations)))
  if (missing.length > 0) {
    return missing.map(
      ({ folder, declarations }) =>
        `${folder}/${declarations}: not there: run \`npm run build\`, or mend "exports" in the manifest.`,
    )
  }
  const temp = mkdtempSync(join(tmpdir(), 'memlayer-api-'))
  try {
    const shared = sharedConfig()
    const configs = entries.map((entry, index) => configure(shared, root, entry, join(temp, String(index))))
    const [first] = configs
    if (first === undefined) return []
    // One program for all: reading the standard library's declarations is most of the work.
    const additionalEntryPoints = configs.map((config) => config.mainEntryPointFilePath)
    const compilerState = CompilerState.create(first, { additionalEntryPoints })
    return entries.flatMap((entry, index) =>
      runReport(root, entry, configs[index] as ExtractorConfig, compilerState, update),
    )
  } finally {
    rmSync(temp, { recursive: true })
  }
}

/** The shared configuration, with the one path in it that a file can't hold: where Node's types are. */
function sharedConfig(): IConfigFile {
  const shared = ExtractorConfig.loadFile(base)
  const { compilerOptions } = (shared.compiler?.overrideTsconfig ?? {}) as { readonly compilerOptions?: object }
  const typeRoots = [join(checkout, 'tooling', 'checks', 'node_modules', '@types')]
  return { ...shared, compiler: { overrideTsconfig: { compilerOptions: { ...compilerOptions, typeRoots } } } }
}

function configure(shared: IConfigFile, root: string, entry: Entry, temp: string): ExtractorConfig {
  const projectFolder = join(root, entry.folder)
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(projectFolder, 'package.json'),
    configObject: {
      ...shared,
      projectFolder,
      mainEntryPointFilePath: join(projectFolder, entry.declarations),
      apiReport: {
        ...shared.apiReport,
        enabled: true,
        reportFileName: `${entry.name}.api.md`,
        reportFolder: join(projectFolder, 'etc'),
        reportTempFolder: temp,
      },
    },
  })
}

function runReport(
  root: string,
  entry: Entry,
  config: ExtractorConfig,
  compilerState: CompilerState,
  update: boolean,
): string[] {
  const findings: string[] = []
  const messageCallback = (message: ExtractorMessage): void => {
    message.handled = true
    // What API Extractor says of the report itself is said below, with what to do.
    if (message.logLevel !== ExtractorLogLevel.Error || message.messageId.startsWith('console-')) return
    const { sourceFilePath: file, sourceFileLine: line } = message
    const place = file === undefined ? entry.folder : `${relative(root, file).replaceAll('\\', '/')}:${line ?? 1}`
    findings.push(`${place}: ${message.text} (${message.messageId})`)
  }
  const [report] = config.reportConfigs
  const reportFolders = [config.reportTempFolder, ...(update ? [config.reportFolder] : [])]
  for (const folder of reportFolders) mkdirSync(folder, { recursive: true })
  let changed = false
  try {
    changed = Extractor.invoke(config, { localBuild: update, compilerState, messageCallback }).apiReportChanged
  } catch (error) {
    findings.push(`${entry.folder}/${entry.declarations}: API Extractor gives up: ${String(error)}`)
  }
  if (changed && !update && report !== undefined) {
    const [committed, made] = [config.reportFolder, config.reportTempFolder].map((folder) =>
      read(join(folder, report.fileName)),
    )
    const sentence = 'the API is not as reported there: run `npm run api`, look at the change, commit it.'
    findings.push([`${reportFile(entry)}: ${sentence}`, ...lineDifference(committed ?? '', made ?? '')].join('\n'))
  }
  return findings
}

function read(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').replaceAll('\r\n', '\n') : ''
}

/** The lines that only one of two texts has, in their order. */
function lineDifference(committed: string, made: string): string[] {
  return [...linesOnlyIn(committed, made, '-'), ...linesOnlyIn(made, committed, '+')].slice(0, 40)
}

function linesOnlyIn(text: string, other: string, mark: string): string[] {
  const lines = new Set(other.split('\n'))
  return text.split('\n').flatMap((line) => (lines.has(line) ? [] : [`  ${mark} ${line}`]))
}

function typesIn(target: unknown): string[] {
  if (typeof target !== 'object' || target === null) return []
  return Object.entries(target).flatMap(([condition, inner]) =>
    condition === 'types' && typeof inner === 'string' ? [inner] : typesIn(inner),
  )
}
