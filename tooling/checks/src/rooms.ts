// The rooms of a package: which folders and files of its source may import which. Arrows run down, and never up.
import { posix } from 'node:path'
import { parseSource } from './source.js'
import { readText, type Workspace } from './workspace.js'

/**
 * The floors of a package, by its folder, from the top down. A room is a folder of src, or a file that stands beside
 * the folders. It may import rooms of lower floors.
 */
export const floors: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'packages/core': [
    ['index'],
    ['create-memory'],
    ['regions'],
    ['io'],
    ['memory'],
    ['calls'],
    ['account', 'borrows', 'claims', 'mappings', 'residency'],
    ['limit', 'retired', 'scavenge'],
    ['process'],
    ['ledger'],
    ['check', 'options'],
    ['copies', 'errors'],
    ['holding'],
    ['os', 'text', 'warning'],
  ],
  'packages/cache': [
    ['index'],
    ['cache'],
    ['entries', 'stats', 'codec', 'copies'],
    ['index-table', 'queue', 'ghost', 'key-bytes', 'misuse'],
    ['entry'],
  ],
}

/** Arrows that may run up. They are for types only: `region.memory` is the memory that has the region. */
const upward: ReadonlySet<string> = new Set(['packages/core/src/memory.ts -> regions'])

/** Sentences about every import that runs up, and every room without a floor. */
export function checkRooms(workspace: Workspace): string[] {
  return Object.entries(floors).flatMap(([folder, rows]) => {
    const source = `${folder}/src/`
    return workspace.files
      .filter((file) => file.startsWith(source) && file.endsWith('.ts'))
      .flatMap((file) => checkFile(file, readText(workspace.root, file), source, rows))
  })
}

/** Sentences about one file of the package whose source is in the folder `source`. */
export function checkFile(file: string, text: string, source: string, rows: readonly (readonly string[])[]): string[] {
  const room = roomOf(file, source)
  const floor = rows.findIndex((row) => row.includes(room))
  if (floor < 0) return [`${file}: the room '${room}' has no floor: give it one in tooling/checks/src/rooms.ts.`]
  return parseSource(file, text).imports.flatMap(({ specifier, line }) => {
    if (specifier === null || !specifier.startsWith('.')) return []
    const other = roomOf(posix.join(file, '..', specifier), source)
    const isDown = rows.findIndex((row) => row.includes(other)) > floor
    if (other === room || isDown || upward.has(`${file} -> ${other}`)) return []
    const hint = 'move what both need to a lower floor, or hand it over as an argument.'
    return [`${file}:${line}: '${room}' may not import '${other}', which is not below it: ${hint}`]
  })
}

function roomOf(file: string, source: string): string {
  const [first = ''] = file.slice(source.length).split('/')
  return first.replace(/\.[jt]s$/, '')
}
