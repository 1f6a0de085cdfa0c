// Finds where a region was reserved: the first frame of its stack outside our own packages. The manifest above a
// frame's file tells its package. That works in a workspace, for an installed copy and for several copies. A user's
// own folder with the name `core` is not hidden.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const own: readonly string[] = ['memlayer', '@memlayer/core']
/** For each folder: whether its package is one of ours. */
const known = new Map<string, boolean>()

/** The first line of a stack from the user's own code. Empty: the stack has no such line. */
export function placeOf(stack: string): string {
  return linesOf(stack).find((line) => !isOwn(line)) ?? ''
}

/**
 * The lines of a stack from the user's own code, the innermost first. Lines of the layer and of Node are left out, but
 * a stack of nothing else keeps those of Node.
 */
export function framesOf(stack: string): string[] {
  const lines = linesOf(stack).filter((line) => line !== '' && !isOwn(line))
  const users = lines.filter((line) => !line.includes('node:'))
  return users.length === 0 ? lines : users
}

const linesOf = (stack: string): string[] =>
  stack
    .split('\n')
    .slice(1)
    .map((line) => line.trim().replace(/^at /, ''))

function isOwn(line: string): boolean {
  const path = /^(?:.*\()?(.*?):\d+:\d+\)?$/.exec(line)?.[1]
  if (path === undefined || path.startsWith('node:')) return false
  try {
    return isOwnFolder(dirname(path.startsWith('file:') ? fileURLToPath(path) : path))
  } catch {
    // The frame has an address instead of a path, for example in a page.
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

/** The package name in this folder's manifest. Null: no manifest, or no name in it. */
function nameIn(folder: string): string | null {
  try {
    const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: unknown }
    return typeof name === 'string' ? name : null
  } catch {
    return null
  }
}
