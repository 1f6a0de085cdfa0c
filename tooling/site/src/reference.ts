// Makes a page of the reference from the model of one entry, which API Extractor wrote. build.ts calls it.
import {
  ApiDeclaredItem,
  ApiDocumentedItem,
  ApiItem,
  ApiItemKind,
  ApiModel,
  ApiParameterListMixin,
  ApiPropertyItem,
  ExcerptTokenKind,
  type Excerpt,
} from '@microsoft/api-extractor-model'
import { firstSentence, lineOf, textOf, type Resolve } from './doc-text.js'

/** One entry that people import. */
export interface Module {
  /** What people write behind `from`: `memlayer/engine`. */
  readonly name: string
  /** The page's path in the site: `reference/memlayer-engine.md`. */
  readonly path: string
  readonly items: readonly ApiItem[]
  readonly model: ApiModel
  /** The packages of the names that it takes from others. */
  readonly imports: ReadonlyMap<string, string>
  /** Those of them that it exports again. */
  readonly others: readonly string[]
}

/** Reads the model of one entry. */
export function readModule(name: string, file: string, report: string): Module {
  const model = new ApiModel()
  const [entry] = model.loadPackage(file).entryPoints
  const path = `reference/${name.replace(/^@memlayer\//, '').replaceAll('/', '-')}.md`
  return { name, path, items: entry?.members ?? [], model, ...foreignNames(report) }
}

/** Reads from an entry's report what it takes from other packages: the model has only what the package declares. */
function foreignNames(report: string): Pick<Module, 'imports' | 'others'> {
  const imports = new Map(
    [...report.matchAll(/^import (?:type )?\{ (?:\w+ as )?(\w+) \} from '([^']+)';$/gm)].map(
      ([, name = '', source = '']) => [name, source],
    ),
  )
  const exported = [...report.matchAll(/^export \{ (\w+) \}$/gm)].map(([, name = '']) => name)
  return { imports, others: exported.filter((name) => imports.has(name)) }
}

/** Where a declaration is in the site, and what it is. */
export interface Place {
  /** `./core.html#Region` */
  readonly href: string
  /** The first sentence of its comment, or ''. */
  readonly says: string
}

/** The places of all declarations, by their canonical references. */
export type Index = ReadonlyMap<string, Place>

/** Makes the index over all entries. The first entry that declares a name has it. */
export function indexOf(modules: readonly Module[]): Index {
  const index = new Map<string, Place>()
  for (const module of modules) {
    const page = `./${module.path.replace(/^reference\//, '').replace(/\.md$/, '.html')}`
    for (const [item, anchor] of anchorsOf(module.items)) {
      const reference = item.canonicalReference.toString()
      const place = { href: `${page}#${anchor}`, says: firstSentence(summaryLine(module, item, new Map())) }
      if (!index.has(reference)) index.set(reference, place)
    }
  }
  // A name may be passed on by a package that has it from another one.
  for (const found of modules.flatMap((module) => aliases(module, modules))) {
    const place = placeOf(found.original, index)
    if (place !== undefined) index.set(found.alias, place)
  }
  return index
}

function aliases(module: Module, modules: readonly Module[]): { alias: string; original: string }[] {
  return module.others.map((name) => ({
    alias: `${module.name}!${name}:alias`,
    original: `${originOf(module, name, modules)}!${name}:`,
  }))
}

/** The package that declares what a module passes on. */
function originOf(module: Module, name: string, modules: readonly Module[]): string {
  const from = module.imports.get(name) ?? module.name
  const next = modules.find((one) => one.name === from)
  return next === undefined || !next.others.includes(name) ? from : originOf(next, name, modules)
}

/** The anchor of each export and each member. A name that comes again, as an overload does, gets a number. */
function anchorsOf(exports: readonly ApiItem[]): Map<ApiItem, string> {
  const anchors = new Map<ApiItem, string>()
  const taken = new Set<string>()
  const take = (item: ApiItem, name: string): void => {
    let anchor = name
    for (let n = 2; taken.has(anchor); n++) anchor = `${name}-${n}`
    taken.add(anchor)
    anchors.set(item, anchor)
  }
  for (const item of exports) {
    take(item, nameOf(item))
    for (const member of item.members) take(member, `${nameOf(item)}.${nameOf(member)}`)
  }
  return anchors
}

const kinds: readonly (readonly [title: string, kind: ApiItemKind])[] = [
  ['Constants', ApiItemKind.Variable],
  ['Functions', ApiItemKind.Function],
  ['Classes', ApiItemKind.Class],
  ['Interfaces', ApiItemKind.Interface],
  ['Types', ApiItemKind.TypeAlias],
]

/** Makes the text of a page. */
export function pageOf(module: Module, index: Index): string {
  const anchors = anchorsOf(module.items)
  const groups = kinds
    .map(([title, kind]) => [title, module.items.filter((item) => item.kind === kind)] as const)
    .filter(([, items]) => items.length > 0)
  const lists = groups.flatMap(([title, items]) => [
    `| ${title} | |\n| --- | --- |`,
    ...items.map(
      (item) => `| [\`${nameOf(item)}\`](#${anchors.get(item)}) | ${firstSentence(summaryLine(module, item, index))} |`,
    ),
    '',
  ])
  const parts = groups.flatMap(([, items]) => items.map((item) => section(module, item, anchors, index)))
  const opening = `\`import { … } from '${module.name}'\``
  return [`# Exports of ${module.name}`, '', opening, '', ...lists, ...foreignList(module, index), ...parts].join('\n')
}

function foreignList(module: Module, index: Index): string[] {
  if (module.others.length === 0) return []
  const rows = module.others.map((name) => {
    const place = placeOf(`${module.imports.get(name)}!${name}:`, index)
    return place === undefined ? `| \`${name}\` | |` : `| [\`${name}\`](${place.href}) | ${place.says} |`
  })
  return ['| Names of other packages | |', '| --- | --- |', ...rows, '']
}

/** The place of the first declaration whose reference starts so. The kind stands behind the name. */
function placeOf(start: string, index: Index): Place | undefined {
  return [...index].find(([reference]) => reference.startsWith(start))?.[1]
}

function section(module: Module, item: ApiItem, anchors: ReadonlyMap<ApiItem, string>, index: Index): string {
  const [properties, methods] = [item.members.filter(isProperty), item.members.filter((member) => !isProperty(member))]
  const rows = properties.map((member) => {
    const name = `<span id="${anchors.get(member)}"></span>\`${member.displayName}\``
    const type = signature(module, member.propertyTypeExcerpt, index)
    const inCell = type.replaceAll('|', '&#124;').replaceAll('\n', ' ')
    return `| ${name} | <code v-pre>${inCell}</code> | ${summaryLine(module, member, index)} |`
  })
  return [
    `## ${nameOf(item)} {#${anchors.get(item)}}`,
    ...body(module, item, index),
    ...(rows.length === 0 ? [] : ['', '| property | type | |', '| --- | --- | --- |', ...rows]),
    ...methods.flatMap((member) => [
      '',
      `### ${headingOf(item, member)} {#${anchors.get(member)}}`,
      ...body(module, member, index),
    ]),
    '',
  ].join('\n')
}

function body(module: Module, item: ApiItem, index: Index): string[] {
  const resolve = resolver(module, item, index)
  const comment = item instanceof ApiDocumentedItem ? item.tsdocComment : undefined
  const declared = item instanceof ApiDeclaredItem ? signature(module, item.excerpt, index) : ''
  const parameters = ApiParameterListMixin.isBaseClassOf(item)
    ? item.parameters.flatMap(({ name, tsdocParamBlock }) => {
        const line = lineOf(tsdocParamBlock?.content, resolve)
        return line === '' ? [] : [`- \`${name}\`: ${line}`]
      })
    : []
  const throws = (comment?.customBlocks ?? []).filter(({ blockTag }) => blockTag.tagName === '@throws')
  const examples = (comment?.customBlocks ?? []).filter(({ blockTag }) => blockTag.tagName === '@example')
  const returns = lineOf(comment?.returnsBlock?.content, resolve)
  return [
    '',
    `<pre class="signature" v-pre><code>${declared}</code></pre>`,
    '',
    textOf(comment?.summarySection, resolve),
    '',
    textOf(comment?.remarksBlock?.content, resolve),
    '',
    ...parameters,
    '',
    ...(returns === '' ? [] : [`**Returns** ${returns}`, '']),
    ...throws.flatMap(({ content }) => [`**Throws** ${lineOf(content, resolve)}`, '']),
    ...examples.flatMap(({ content }) => [textOf(content, resolve), '']),
  ]
}

/** A declaration as HTML. The names of types lead to their pages. */
function signature(module: Module, excerpt: Excerpt, index: Index): string {
  const html = excerpt.spannedTokens.map(({ kind, text, canonicalReference: reference }) => {
    const target =
      kind === ExcerptTokenKind.Reference ? linkedType(module, reference?.toString() ?? '', index) : undefined
    return target === undefined ? escaped(text) : `<a href="${target.href}">${escaped(text)}</a>`
  })
  const text = html
    .join('')
    .replace(/^export (?:declare )?/, '')
    .trim()
  // An empty line would end the block for Markdown.
  return text.replaceAll(/\n\s*\n/g, '\n')
}

/** A type of another package is written as if it were the package's own: `@memlayer/cache!~Memory:interface`. */
function linkedType({ imports }: Module, reference: string, index: Index): Place | undefined {
  const [, name = ''] = /!~(\w+):/.exec(reference) ?? []
  return index.get(reference) ?? (imports.has(name) ? placeOf(`${imports.get(name)}!${name}:`, index) : undefined)
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function summaryLine(module: Module, item: ApiItem, index: Index): string {
  if (!(item instanceof ApiDocumentedItem)) return ''
  return lineOf(item.tsdocComment?.summarySection, resolver(module, item, index))
}

function resolver({ model, imports }: Module, context: ApiItem, index: Index): Resolve {
  return (destination) => {
    const { resolvedApiItem } = model.resolveDeclarationReference(destination, context)
    if (resolvedApiItem !== undefined) return index.get(resolvedApiItem.canonicalReference.toString())?.href ?? null
    const names = destination.memberReferences.map((member) => member.memberIdentifier?.identifier ?? '')
    const own = context.getAssociatedPackage()?.displayName
    const owner = destination.packageName ?? imports.get(names[0] ?? '') ?? own ?? ''
    return placeOf(`${owner}!${names.join('#')}:`, index)?.href ?? null
  }
}

function isProperty(item: ApiItem): item is ApiPropertyItem {
  return item instanceof ApiPropertyItem
}

/** An export whose name a global has too is called `Cache_2` in the model. */
function nameOf(item: ApiItem): string {
  if (item.kind === ApiItemKind.Constructor) return 'constructor'
  const { displayName } = item
  const isOther = item instanceof ApiDeclaredItem && !item.excerpt.text.includes(displayName)
  const name = isOther ? displayName.replace(/_\d+$/, '') : displayName
  return name.replaceAll(/[^\w$.]/g, '') || item.kind
}

function headingOf(owner: ApiItem, member: ApiItem): string {
  if (member.kind === ApiItemKind.Constructor) return `new ${nameOf(owner)}()`
  return member.kind === ApiItemKind.CallSignature ? `${nameOf(owner)}()` : `${nameOf(member)}()`
}
