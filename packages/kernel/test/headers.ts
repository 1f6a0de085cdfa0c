// The host's own headers, as its C compiler reads them. They decide whether a table of numbers is right.
import { spawnSync } from 'node:child_process'
import type { TestContext } from 'vitest'

/** The values of the names after including `headers`. A name that is not defined is left out. */
export function defined(
  headers: readonly string[],
  names: readonly string[],
  context: TestContext,
): Map<string, number> {
  const includes = headers.map((header) => `#include <${header}>`)
  // A line holds the index and the value. The preprocessor would replace a name there, too.
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
    // Headers write octal, hex and parentheses. JavaScript reads all of it except the leading 0 of an octal.
    const number = Number((text ?? '').replace(/[()\s]/g, ''))
    if (name !== undefined && !Number.isNaN(number)) found.set(name, number)
  }
  return found
}
