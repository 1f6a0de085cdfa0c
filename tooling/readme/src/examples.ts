// Finds the code blocks in a README that are marked to run, with their expected output.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A code block that a README marks to run. */
export interface Example {
  /** The README's path. */
  readonly file: string
  /** The line of the README on which the code starts. The first line is 1. */
  readonly line: number
  readonly language: 'ts' | 'js'
  readonly code: string
  /** The platforms that it runs on, by `process.platform`. An empty list means all. */
  readonly platforms: readonly string[]
  /** The expected output, from the adjacent `text` block. */
  readonly output?: string
}

interface Block {
  readonly info: readonly string[]
  /** The line on which the content starts. */
  readonly line: number
  /** The line of the closing fence. */
  readonly end: number
  readonly text: string
}

/** The platforms that a block may name. Any other word is a typing error. */
const platforms: ReadonlySet<string> = new Set([
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'sunos',
  'win32',
])

/** Returns the blocks of a README that open with `ts run` or `js run`, in order. */
export function examplesOf(file: string | URL): Example[] {
  const path = file instanceof URL ? fileURLToPath(file) : file
  const lines = readFileSync(path, 'utf8').split(/\r?\n/)
  const blocks = blocksIn(path, lines)
  return blocks.flatMap((block, i): Example[] => {
    const [language, run, ...only] = block.info
    if (run !== 'run') return []
    if (language !== 'ts' && language !== 'js') {
      throw new Error(
        `${path}:${block.line - 1}: can't run a block of ${language}: mark it as ts or js, or remove 'run'`,
      )
    }
    const unknown = only.find((word) => !platforms.has(word))
    if (unknown !== undefined)
      throw new Error(
        `${path}:${block.line - 1}: no platform has the name '${unknown}': use a name of process.platform`,
      )
    const next = blocks[i + 1]
    const adjacent =
      next?.info.join(' ') === 'text' && lines.slice(block.end, next.line - 2).every((line) => line.trim() === '')
    const output = adjacent ? { output: next.text } : {}
    return [{ file: path, line: block.line, language, code: block.text, platforms: only, ...output }]
  })
}

/** Returns every fenced block. The closing fence has at least as many of the opening characters (CommonMark 4.5). */
function blocksIn(path: string, lines: readonly string[]): Block[] {
  const blocks: Block[] = []
  for (let i = 0; i < lines.length; i++) {
    const [, indent = '', fence = '', info = ''] = /^( {0,3})(`{3,}|~{3,})\s*([^`]*)$/.exec(lines[i] ?? '') ?? []
    if (fence === '') continue
    const closing = new RegExp(`^ {0,3}\\${fence[0]}{${fence.length},}\\s*$`)
    const start = i + 1
    for (i = start; i < lines.length && !closing.test(lines[i] ?? ''); i++);
    if (i === lines.length) throw new Error(`${path}:${start}: the block has no closing fence: add one`)
    const content = lines.slice(start, i).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
    blocks.push({ info: info.trim().split(/\s+/), line: start + 1, end: i + 1, text: content.join('\n') })
  }
  return blocks
}
