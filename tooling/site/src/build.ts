// Builds the site: writes the pages of the documents and of the reference, and runs VitePress over them. main.ts calls
// it.
import { copyFileSync, cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { entriesOf, reportFile, writeModels } from '@memlayer/checks/api-reports'
import { publicPackages, readText, readWorkspace, type Workspace } from '@memlayer/checks/workspace'
import { addressOf, groupsOf, linksBelow, lostPages, type Group } from './contents.js'
import { base, siteFolder, temp, tool } from './folders.js'
import { install, runVitePress } from './generator.js'
import { link } from './links.js'
import { pagesOf, repository, type Page } from './pages.js'
import { indexOf, pageOf, readModule, type Module } from './reference.js'

const pagesFolder = join(temp, 'pages')

/** Builds the site anew. Returns the number of pages. @throws DownloadError without VitePress */
export function buildSite(): number {
  const workspace = readWorkspace()
  install(join(tool, 'generator'), temp)
  rmSync(pagesFolder, { recursive: true, force: true })
  rmSync(siteFolder, { recursive: true, force: true })
  const pages = pagesOf(
    workspace.files,
    publicPackages(workspace).map(({ folder }) => folder),
  )
  copyDocuments(workspace, pages)
  const modules = readModules(workspace)
  const index = indexOf(modules)
  for (const module of modules) writePage(module.path, 'outline: 2\neditLink: false', pageOf(module, index))
  writePage('reference/index.md', 'editLink: false', listOf(modules, workspace))
  configure(workspace, pages, modules)
  runVitePress(temp)
  return pages.length + modules.length + 1
}

function copyDocuments(workspace: Workspace, pages: readonly Page[]): void {
  const places = {
    pages: new Map(pages.map(({ source, path }) => [source, path])),
    isFolder: (path: string) => workspace.files.some((file) => file.startsWith(`${path.replace(/\/$/, '')}/`)),
  }
  for (const page of pages) {
    const { text, pictures } = link(page, readText(workspace.root, page.source), places)
    writePage(page.path, `source: ${repository}/blob/main/${page.source}`, text)
    for (const picture of pictures) {
      mkdirSync(dirname(join(pagesFolder, picture)), { recursive: true })
      copyFileSync(join(workspace.root, picture), join(pagesFolder, picture))
    }
  }
}

function writePage(path: string, frontmatter: string, text: string): void {
  const file = join(pagesFolder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `---\n${frontmatter}\n---\n\n${text}`)
}

function readModules(workspace: Workspace): Module[] {
  const folder = join(temp, 'models')
  mkdirSync(folder, { recursive: true })
  const entries = publicPackages(workspace).flatMap((pkg) => entriesOf(pkg).map((entry) => ({ entry, name: pkg.name })))
  const files = writeModels(
    workspace.root,
    entries.map(({ entry }) => entry),
    folder,
  )
  return entries
    .map(({ entry, name }, i) =>
      readModule(
        entry.name === 'index' ? name : `${name}/${entry.name}`,
        files[i] ?? '',
        readText(workspace.root, reportFile(entry)),
      ),
    )
    .filter(({ items, others }) => items.length + others.length > 0)
    .toSorted((a, b) => Number(isScoped(a)) - Number(isScoped(b)))
}

/** What people import first is without a scope, and comes first. */
function isScoped({ name }: Module): boolean {
  return name.startsWith('@')
}

/** One line a package, with its entries. */
function listOf(modules: readonly Module[], workspace: Workspace): string {
  const rows = publicPackages(workspace).flatMap(({ name, manifest }) => {
    const entries = modules.filter((module) => module.name === name || module.name.startsWith(`${name}/`))
    const links = entries.map((module) => `[${module.name}](../${module.path})`).join('<br>')
    const description = typeof manifest['description'] === 'string' ? manifest['description'] : ''
    return entries.length === 0 ? [] : [{ isFirst: !name.startsWith('@'), line: `| ${links} | ${description} |` }]
  })
  const lines = rows.toSorted((a, b) => Number(b.isFirst) - Number(a.isFirst)).map(({ line }) => line)
  const opening = 'What each entry exports, from the declarations of its package.'
  return ['# Reference', '', opening, '', '| import from | |', '| --- | --- |', ...lines, ''].join('\n')
}

function configure(workspace: Workspace, pages: readonly Page[], modules: readonly Module[]): void {
  const textOf = (source: string): string => readText(workspace.root, source)
  const guide = textOf('packages/docs/README.md')
  const decisions = textOf('packages/docs/decisions/README.md')
  const top = textOf('README.md')
  const places = { pages: new Map(pages.map((page) => [page.source, page.path])), isFolder: () => false }
  const linked = (path: string, text: string): string => {
    const page = pages.find((one) => one.path === path)
    return page === undefined ? '' : link(page, text, places).text
  }
  const sitedTop = linked('index.md', top)
  const groups = {
    guide: [
      { text: 'memlayer', items: [{ text: 'In short', link: '/' }] },
      ...groupsOf('guide/index.md', linked('guide/index.md', guide)),
    ],
    decisions: [
      { text: 'Decisions', items: linksBelow('decisions/index.md', linked('decisions/index.md', decisions), '') },
    ],
    packages: [
      { text: 'Packages', items: linksBelow('index.md', sitedTop, 'The packages') },
      { text: 'Backends', items: linksBelow('index.md', sitedTop, 'The backends, and how far each was run') },
    ],
    reference: [
      {
        text: 'Reference',
        items: modules.map(({ name, path }) => ({ text: name.replace(/^@memlayer\//, ''), link: addressOf(path) })),
      },
    ],
  } satisfies Readonly<Record<string, readonly Group[]>>
  const listed = Object.values(groups).flat()
  const all = [
    ...listed,
    { text: '', items: ['/guide/', '/decisions/', '/contributing'].map((to) => ({ text: '', link: to })) },
  ]
  const lost = lostPages(
    all,
    pages.map(({ path }) => path),
  )
  if (lost.length > 0) throw new Error(`no list leads to ${lost.join(', ')}: name it in packages/docs/README.md`)
  const [, description = ''] = /^\*\*(.+?)\*\*/m.exec(top) ?? []
  const contents = {
    base,
    description,
    outDir: join(siteFolder, base),
    nav: [
      { text: 'Guide', link: '/guide/', activeMatch: '^/(guide|recipes)/' },
      { text: 'Packages', link: '/packages/memlayer', activeMatch: '^/packages/' },
      { text: 'Reference', link: '/reference/', activeMatch: '^/reference/' },
      { text: 'Decisions', link: '/decisions/', activeMatch: '^/decisions/' },
      { text: 'GitHub', link: repository },
    ],
    sidebar: {
      '/decisions/': groups.decisions,
      '/packages/': groups.packages,
      '/reference/': groups.reference,
      '/': groups.guide,
    },
  }
  const folder = join(pagesFolder, '.vitepress')
  cpSync(join(tool, 'generator', 'vitepress'), folder, { recursive: true })
  renameSync(join(folder, 'vitepress.config.mjs'), join(folder, 'config.mjs'))
  writeFileSync(join(folder, 'contents.json'), JSON.stringify(contents))
}
