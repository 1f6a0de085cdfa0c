// Another Node than the one that runs the tests: a devDependency of the package that tests it, under
// an alias (`"node26": "catalog:"`).
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** What this asks of a test's context: vitest's has it. */
export interface Skipping {
  skip(note: string): never
}

/** The path of the Node that is installed as `alias` for the test at `from`, or the test is skipped; with CI=true it fails. */
export function otherNode(alias: string, from: string, context: Skipping): string {
  const node = find(alias, from)
  if (node !== null) return node
  if (process.env['CI'] === 'true') throw new Error(`${alias} is missing: its package was not installed for this host`)
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
