// Checks that sentences of documents, messages and help texts are short enough to be read once. sentences.test.ts calls
// it.
import { textsOf } from './source.js'
import { readText, type Workspace } from './workspace.js'

/** The most words of a sentence. Code in backticks is one word, whatever its length. */
export const wordsMax = 35

/** A sentence, and the line on which its paragraph, item or cell starts. */
export interface Sentence {
  readonly line: number
  readonly text: string
  readonly words: number
}

/** Checks every document of the workspace but those that are generated, and every text in its sources. */
export function checkSentences(workspace: Workspace): string[] {
  return workspace.files.flatMap((file) => {
    if (/(^|\/)CHANGELOG\.md$|\.api\.md$|^\.changeset\//.test(file)) return []
    if (file.endsWith('.md')) return checkProse(file, readText(workspace.root, file))
    if (/^(packages|tooling)\/[^/]+\/src\/.*\.[cm]?ts$/.test(file))
      return checkTexts(file, readText(workspace.root, file))
    return []
  })
}

/** Checks one document, and returns a finding for each sentence that is too long and each word to be avoided. */
export function checkProse(file: string, text: string): string[] {
  const sentences = sentencesOf(text)
  return [...findings(file, sentences), ...wordFindings(file, sentences)]
}

function wordFindings(file: string, sentences: readonly Sentence[]): string[] {
  // An id and a pattern have fewer words.
  const prose = sentences.filter(({ words }) => words > 2)
  return prose.flatMap(({ line, text }) => [
    ...[...text.matchAll(spelledOtherwise)].map(([word]) => `${file}:${line}: '${word}': spell it as Americans do.`),
    ...[...text.matchAll(nameless)].map(
      ([word]) => `${file}:${line}: '${word}': name the caller, the owner, the worker.`,
    ),
  ])
}

/** Words for people and code that have a name. */
const nameless = /\b(?:whoever|nobody|somebody|anybody|everybody)\b/gi

/** Words of these documents that Americans spell otherwise. */
const spelledOtherwise = new RegExp(
  String.raw`\b(?:colour|behaviour|honour|favour|neighbour|centre|licence|catalogue|cancelled|modelled|labelled)\w*` +
    String.raw`|\b(?:organ|recogn|real|optim|serial|normal|minim|maxim|summar|initial|util)is(?:e[ds]?|ing|ation)\b`,
  'gi',
)

/** Checks the texts of one source: messages, hints, help. A line of a help text that is indented is for itself. */
export function checkTexts(file: string, source: string): string[] {
  // A script for another program is not prose.
  const texts = textsOf(file, source).filter(({ text }) => !text.startsWith('#!'))
  const sentences = texts.flatMap(({ line, text }) =>
    text
      .split(/\n(?=\s|\S+ {2})| {2,}/)
      .flatMap((block) => splitSentences(block))
      .map((sentence) => ({ line, text: sentence, words: wordsOf(sentence).length })),
  )
  return [...findings(file, sentences), ...wordFindings(file, sentences)]
}

function findings(file: string, sentences: readonly Sentence[]): string[] {
  return sentences
    .filter(({ words }) => words > wordsMax)
    .map(
      ({ line, words, text: sentence }) =>
        `${file}:${line}: a sentence of ${words} words: split it (at most ${wordsMax}): ${sentence.slice(0, 80)}…`,
    )
}

/** The sentences of a Markdown text. A paragraph, an item of a list and a cell of a table end a sentence. */
export function sentencesOf(text: string): Sentence[] {
  return blocksOf(text).flatMap(({ line, text: block }) =>
    splitSentences(plainText(block)).map((sentence) => ({ line, text: sentence, words: wordsOf(sentence).length })),
  )
}

interface Block {
  readonly line: number
  readonly text: string
}

/** Paragraphs, items and cells, without fenced code, comments and the front matter of issue forms. */
function blocksOf(text: string): Block[] {
  const blocks: Block[] = []
  let fence = ''
  let open: { line: number; parts: string[] } | null = null
  const close = (): void => {
    if (open !== null) blocks.push({ line: open.line, text: open.parts.join(' ') })
    open = null
  }
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    const [, mark = ''] = /^(`{3,}|~{3,})/.exec(line) ?? []
    if (fence !== '' || mark !== '') {
      close()
      if (fence === '') fence = mark
      else if (line.startsWith(fence) && /^[`~]+$/.test(line)) fence = ''
      continue
    }
    if (line === '' || /^(#|<|-{3,}$)/.test(line)) close()
    else if (line.startsWith('|')) {
      close()
      for (const cell of line.split(/(?<!\\)\|/)) blocks.push({ line: index + 1, text: cell.trim() })
    } else {
      if (/^([-*+]|\d+\.) /.test(line)) close()
      open ??= { line: index + 1, parts: [] }
      open.parts.push(line.replace(/^([-*+]|\d+\.|>) /, ''))
      // Two spaces at the end break the line.
      if (raw.endsWith('  ')) close()
    }
  }
  close()
  return blocks
}

/** What a reader reads: a link is its text, and code is a word. */
function plainText(block: string): string {
  return block
    .replace(/``.+?``|`[^`]*`/g, 'code')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]+>/g, ' ')
    .replace(/[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}/g, '')
}

/** Splits where a sentence ends: not within a number, and not after an abbreviation. */
function splitSentences(text: string): string[] {
  return text
    .split(/(?<=(?<!\b(?:e\.g|i\.e|etc|vs))[.!?…]["”')]*)\s+(?=\S)/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '')
}

function wordsOf(sentence: string): string[] {
  return sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word))
}
