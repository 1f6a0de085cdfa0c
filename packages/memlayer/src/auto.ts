// "#os" on Node, Bun and Deno: loads an installed backend on request.
import { createOS } from '@memlayer/os-js'
import type { Loaded, Source } from './backend.js'
import { JS } from './choice.js'
import { codeOf } from './errors.js'
// @ts-expect-error -- TypeScript takes it for a script, which has no exports. Its comment says why.
import * as script from './installed.cjs'
import { isInstalled, requireNatively } from './native-require.js'

const installed = script as { readonly isWhole?: boolean; readonly load?: (name: string) => Loaded }

/** Whether this file is in no bundle. A bundle has its own backends, which only the require() in it finds. */
const isOwnFile = (import.meta as { readonly url?: string }).url?.endsWith('/auto.js') === true

/** The installed backends. */
export const source: Source = {
  kind: 'auto',
  only: null,
  isInstalled,
  isBundled: !isOwnFile,
  load(name: string): Loaded {
    // os-js is always installed. It serves when a require() can't, so it is imported.
    if (name === JS) return { backend: { createOS } }
    // Node's own require() first where the other one would leave a module half loaded.
    const first = isOwnFile && installed.isWhole === false ? requireNatively(name) : null
    if (first !== null && !('error' in first)) return first
    const found = installed.load?.(name)
    if (found !== undefined && !('error' in found && takesNoModule(found.error))) return found
    return requireNatively(name) ?? found ?? { error: new Error(`this build has no require() for '${name}'`) }
  },
}

/**
 * Whether a require() refused an ES module, or is not there at all. Test runners that load modules themselves have such
 * a one: jest's has a code, that of vitest's vm pools on Node 22 reads the module as a script. In an ES module that
 * rollup's commonjs plugin made there is none for packages that were not installed.
 */
function takesNoModule(error: unknown): boolean {
  const { name } = (error ?? {}) as { name?: unknown }
  return codeOf(error) === 'ERR_REQUIRE_ESM' || name === 'SyntaxError' || (!isOwnFile && name === 'ReferenceError')
}
