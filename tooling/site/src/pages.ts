// Which documents of the repository are pages of the site, and where. build.ts copies them, links.ts leads to them.

/** A document that is a page. Both paths have slashes. */
export interface Page {
  /** Its path in the repository: `packages/docs/choosing.md`. */
  readonly source: string
  /** Its path in the site: `guide/choosing.md`. */
  readonly path: string
}

/** Where the source is shown, for what is not a page. */
export const repository = 'https://github.com/memlayer/memlayer'

/** The rooms of `packages/docs`, and their rooms in the site. */
const rooms: Readonly<Record<string, string>> = { '': 'guide/', 'recipes/': 'recipes/', 'decisions/': 'decisions/' }

/** Returns the pages among a repository's files. `published` are the folders of the published packages. */
export function pagesOf(files: readonly string[], published: readonly string[]): Page[] {
  const packages = new Set(published)
  return files.flatMap((source) => {
    const path = pathOf(source, packages)
    return path === null ? [] : [{ source, path }]
  })
}

function pathOf(source: string, packages: ReadonlySet<string>): string | null {
  if (source === 'README.md') return 'index.md'
  if (source === 'CONTRIBUTING.md') return 'contributing.md'
  const [, room, name] = /^packages\/docs\/((?:\w+\/)?)([\w-]+)\.md$/.exec(source) ?? []
  if (room !== undefined && rooms[room] !== undefined)
    return `${rooms[room]}${name === 'README' ? 'index' : (name ?? '')}.md`
  const [, folder, short] = /^(packages\/([\w-]+))\/README\.md$/.exec(source) ?? []
  return folder !== undefined && packages.has(folder) ? `packages/${short}.md` : null
}
