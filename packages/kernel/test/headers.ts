// The host's own headers, as its C compiler reads them: the judge of a table of numbers.
import { spawnSync } from 'node:child_process'
import type { TestContext } from 'vitest'

/** What the names are defined to be after including `headers`; a name that is not defined is left out. */
export function defined(
  headers: readonly string[],
  names: readonly string[],
  context: TestContext,
): Map<string, number> {
  const includes = headers.map((header) => `#include <${header}>`)
  // Each value stands behind its number: a name would be replaced by the preprocessor too.
  const lines = names.map((name, i) => `#ifdef ${name}\n@${i} ${name}\n#endif`)
  const source = ['#define _GNU_SOURCE', ...includes, ...lines]
  const { status, stdout, stderr, error } = spawnSync('gcc', ['-E', '-P', '-'], {
    input: source.join('\n'),
    encoding: 'utf8',
  })
  if (error !== undefined || status !== 0) {
    const needed = 'needs a C compiler and its headers: apt-get install gcc libc6-dev'
    if (process.env['CI'] === 'true') throw new Error(`${needed}\n${stderr}`, { cause: error })
    context.skip(needed)
  }
  const found = new Map<string, number>()
  for (const [, i, text] of stdout.matchAll(/^@(\d+) (.*)$/gm)) {
    const name = names[Number(i)]
    // Headers write octal, hex and parentheses; all of it JavaScript but the leading 0 of an octal.
    const number = Number((text ?? '').replace(/[()\s]/g, ''))
    if (name !== undefined && !Number.isNaN(number)) found.set(name, number)
  }
  return found
}
