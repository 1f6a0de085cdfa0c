// Finds the backends in a bundle by its text. Each backend has hints: sentences that are in no other package, and
// that minifiers don't change.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { publicPackages, readWorkspace } from '@memlayer/checks/workspace'

/** The backends and foreign calls in a text. */
export interface Contents {
  /** The backends, named by the part of their package's name after `os-`. */
  readonly backends: readonly string[]
  /** Whether the text loads koffi. */
  readonly koffi: boolean
  /** Whether the text makes foreign calls with a runtime's own functions. */
  readonly foreign: boolean
}

/** Returns the sentences of each backend, by the part of its package's name after `os-`. */
export function sentencesOfBackends(): ReadonlyMap<string, readonly string[]> {
  const { root, ...workspace } = readWorkspace()
  const found = new Map<string, string[]>()
  for (const { folder } of publicPackages({ root, ...workspace })) {
    const file = join(root, folder, 'dist', 'hint.js')
    const [, backend] = /\/os-(.*)$/.exec(folder) ?? []
    if (backend !== undefined && existsSync(file)) found.set(backend, sentencesIn(readFileSync(file, 'utf8')))
  }
  const times = new Map<string, number>()
  for (const sentence of [...found.values()].flat()) times.set(sentence, (times.get(sentence) ?? 0) + 1)
  return new Map([...found].map(([backend, all]) => [backend, all.filter((sentence) => times.get(sentence) === 1)]))
}

/** Finds the backends and foreign calls in a bundle's text. */
export function contentsOf(
  text: string,
  sentences: ReadonlyMap<string, readonly string[]> = sentencesOfBackends(),
): Contents {
  const backends = [...sentences]
    .filter(([, all]) => all.some((sentence) => text.includes(sentence)))
    .map(([backend]) => backend)
  return { backends: backends.toSorted(), koffi: /koffi/i.test(text), foreign: /dlopen|bun:ffi|node:ffi/i.test(text) }
}

/** Returns long string literals, without characters that a code printer might escape. */
function sentencesIn(code: string): string[] {
  const literals = [...code.matchAll(/'([^'\\\n]{40,})'|"([^"\\\n]{40,})"/g)].map(
    ([, single, double]) => single ?? double ?? '',
  )
  return [...new Set(literals)].filter((literal) => /^[\x20-\x7e]+$/.test(literal) && !/['"]/.test(literal))
}
