// An API report is text that lists the exports of one entry of a published package. It is committed beside the
// package (`packages/core/etc/index.api.md`), so that a change of the API shows as a change of that file.
// A test fails until update-reports.ts writes the new reports. `npm run api` runs it.
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

/** One entry that a package's manifest exports. */
export interface Entry {
  /** The package's folder, relative to the root. */
  readonly folder: string
  /** The entry's name: `index` for '.', `os` for './os'. */
  readonly name: string
  /** The path of its declarations, relative to the package's folder: `dist/index.d.ts`. */
  readonly declarations: string
}

const base = join(checkout, 'tooling', 'api-extractor', 'api-extractor-base.json')

/** Returns the entries of a package that have types. */
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

/** Returns the committed reports of a package that belong to no entry. */
export function strayReports(pkg: WorkspacePackage): string[] {
  const known = new Set(entriesOf(pkg).map((entry) => reportFile(entry)))
  return pkg.files.filter(
    (file) => file.startsWith(`${pkg.folder}/etc/`) && file.endsWith('.api.md') && !known.has(file),
  )
}

/** Returns the path of an entry's committed report, relative to the root. */
export function reportFile({ folder, name }: Entry): string {
  return `${folder}/etc/${name}.api.md`
}

/**
 * Makes the reports of `entries`. With `update` it writes them. Without `update` it writes nothing, and returns a
 * finding for each report that differs from the committed one. Every error of API Extractor is a finding too.
 */
export function runReports(root: string, entries: readonly Entry[], update: boolean): string[] {
  const missing = entries.filter((entry) => !existsSync(join(root, entry.folder, entry.declarations)))
  if (missing.length > 0) {
    return missing.map(
      ({ folder, declarations }) =>
        `${folder}/${declarations}: the file is missing: run \`npm run build\`, or correct "exports" in the manifest.`,
    )
  }
  const temp = mkdtempSync(join(tmpdir(), 'memlayer-api-'))
  try {
    const shared = sharedConfig()
    const configs = entries.map((entry, index) => prepare(configure(shared, root, entry, join(temp, String(index)))))
    const [first] = configs
    if (first === undefined) return []
    // One program reads all entries, because most of the time goes into the standard library's declarations.
    const additionalEntryPoints = configs.map((config) => config.mainEntryPointFilePath)
    const compilerState = CompilerState.create(first, { additionalEntryPoints })
    return entries.flatMap((entry, index) =>
      runReport(root, entry, configs[index] as ExtractorConfig, compilerState, update),
    )
  } finally {
    rmSync(temp, { recursive: true })
  }
}

/**
 * Writes the model of each entry into `folder`, for the reference. Returns the files in the order of `entries`.
 * @throws Error if API Extractor fails, for example because nothing was built.
 */
export function writeModels(root: string, entries: readonly Entry[], folder: string): string[] {
  const shared = sharedConfig()
  const configs = entries.map((entry, index) => {
    const config = configure(shared, root, entry, folder)
    const file = join(folder, `${index}.api.json`)
    return { file, config: { ...config, apiReport: { enabled: false }, docModel: modelIn(file) } }
  })
  const prepared = configs.map(({ config }) => prepare(config))
  const [first] = prepared
  if (first === undefined) return []
  const additionalEntryPoints = prepared.map((config) => config.mainEntryPointFilePath)
  const compilerState = CompilerState.create(first, { additionalEntryPoints })
  const messageCallback = (message: ExtractorMessage): void => {
    // The check of the reports tells what is wrong with a declaration.
    message.handled = true
  }
  for (const config of prepared) Extractor.invoke(config, { localBuild: true, compilerState, messageCallback })
  return configs.map(({ file }) => file)
}

function modelIn(file: string): NonNullable<IConfigFile['docModel']> {
  return { enabled: true, apiJsonFilePath: file, includeForgottenExports: false }
}

/** Reads the shared configuration, and adds the path of Node's types, which depends on the checkout. */
function sharedConfig(): IConfigFile {
  const shared = ExtractorConfig.loadFile(base)
  const { compilerOptions } = (shared.compiler?.overrideTsconfig ?? {}) as { readonly compilerOptions?: object }
  const typeRoots = [join(checkout, 'tooling', 'checks', 'node_modules', '@types')]
  return { ...shared, compiler: { overrideTsconfig: { compilerOptions: { ...compilerOptions, typeRoots } } } }
}

function configure(shared: IConfigFile, root: string, entry: Entry, temp: string): IConfigFile {
  const projectFolder = join(root, entry.folder)
  return {
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
  }
}

function prepare(configObject: IConfigFile): ExtractorConfig {
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(configObject.projectFolder ?? '', 'package.json'),
    configObject,
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
    // The code below reports a changed report itself, and says what to do.
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
    findings.push(`${entry.folder}/${entry.declarations}: API Extractor failed: ${String(error)}`)
  }
  if (changed && !update && report !== undefined) {
    const [committed, made] = [config.reportFolder, config.reportTempFolder].map((folder) =>
      read(join(folder, report.fileName)),
    )
    const sentence = 'the API differs from this report: run `npm run api`, review the change, commit it.'
    findings.push([`${reportFile(entry)}: ${sentence}`, ...lineDifference(committed ?? '', made ?? '')].join('\n'))
  }
  return findings
}

function read(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').replaceAll('\r\n', '\n') : ''
}

/** Returns the lines that are in only one of two texts, in their order. */
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
