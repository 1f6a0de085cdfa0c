// Finds another Node than the one that runs the tests. The package with the test has it as a devDependency under an
// alias (`"node26": "catalog:"`).
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The part of a test's context that skips the test. vitest's context has it. */
export interface Skipping {
  skip(note: string): never
}

/** Returns the path of the Node that is installed as `alias` for the test at `from`. Else it skips, or fails in CI. */
export function otherNode(alias: string, from: string, context: Skipping): string {
  const node = find(alias, from)
  if (node !== null) return node
  if (process.env['CI'] === 'true')
    throw new Error(`${alias} is not installed for this host: run \`pnpm install\` on Linux x64`)
  return context.skip(`needs ${alias} for Linux x64: run \`pnpm install\` on such a host`)
}

function find(alias: string, from: string): string | null {
  try {
    const node = join(dirname(createRequire(from).resolve(`${alias}/package.json`)), 'bin', 'node')
    return existsSync(node) ? node : null
  } catch {
    return null
  }
}
