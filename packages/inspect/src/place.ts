// Where a region was reserved: the first frame of its stack that is no package's of ours. Which package a frame
// is of is read from the manifest of the folder that its file is in, so that it holds for a workspace, for an
// installed copy and for several copies, and hides no folder of the user's that happens to be called core.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const own: readonly string[] = ['memlayer', '@memlayer/core']
/** By folder: whether its package is one of ours. */
const known = new Map<string, boolean>()

/** The first line of a stack that is the user's own; empty where there is none. */
export function placeOf(stack: string): string {
  const lines = stack
    .split('\n')
    .slice(1)
    .map((line) => line.trim().replace(/^at /, ''))
  return lines.find((line) => !isOwn(line)) ?? ''
}

function isOwn(line: string): boolean {
  const path = /^(?:.*\()?(.*?):\d+:\d+\)?$/.exec(line)?.[1]
  if (path === undefined || path.startsWith('node:')) return false
  try {
    return isOwnFolder(dirname(path.startsWith('file:') ? fileURLToPath(path) : path))
  } catch {
    // No path at all: an address of a page, say.
    return false
  }
}

function isOwnFolder(folder: string): boolean {
  const before = known.get(folder)
  if (before !== undefined) return before
  const above = dirname(folder)
  const name = nameIn(folder)
  const found = name === null ? above !== folder && isOwnFolder(above) : own.includes(name)
  known.set(folder, found)
  return found
}

/** The name of the package whose manifest is in this folder; null: there is none, or it has no name. */
function nameIn(folder: string): string | null {
  try {
    const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: unknown }
    return typeof name === 'string' ? name : null
  } catch {
    return null
  }
}
