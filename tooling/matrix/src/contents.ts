// Which backends are in a bundle, by its text: each backend's hints are sentences that nothing else has, and
// that no minifier changes.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { publicPackages, readWorkspace } from '@memlayer/checks/workspace'

/** What a text holds. */
export interface Contents {
  /** Backends by their packages' names after `os-`. */
  readonly backends: readonly string[]
  /** Whether anything in it would load koffi. */
  readonly koffi: boolean
  /** Whether anything in it would make foreign calls by what a runtime has for them. */
  readonly foreign: boolean
}

/** The sentences of each backend, by its package's name after `os-`. */
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

/** What a bundle's text holds. */
export function contentsOf(
  text: string,
  sentences: ReadonlyMap<string, readonly string[]> = sentencesOfBackends(),
): Contents {
  const backends = [...sentences]
    .filter(([, all]) => all.some((sentence) => text.includes(sentence)))
    .map(([backend]) => backend)
  return { backends: backends.toSorted(), koffi: /koffi/i.test(text), foreign: /dlopen|bun:ffi|node:ffi/i.test(text) }
}

/** Long literals without a character that a printer of code might escape. */
function sentencesIn(code: string): string[] {
  const literals = [...code.matchAll(/'([^'\\\n]{40,})'|"([^"\\\n]{40,})"/g)].map(
    ([, single, double]) => single ?? double ?? '',
  )
  return [...new Set(literals)].filter((literal) => /^[\x20-\x7e]+$/.test(literal) && !/['"]/.test(literal))
}
