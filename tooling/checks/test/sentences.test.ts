// Tests the length of sentences in documents, messages and help texts.
import { checkProse, checkSentences, checkTexts, sentencesOf, wordsMax } from '@memlayer/checks/sentences'
import { readWorkspace } from '@memlayer/checks/workspace'
import { describe, expect, it } from 'vitest'
import { expectNone } from './expect-none.js'

const words = (n: number): string => Array.from({ length: n }, (_, i) => `w${i}`).join(' ')

describe('sentences', () => {
  it(`have at most ${wordsMax} words, in documents and in the texts of sources`, () => {
    expectNone(checkSentences(readWorkspace()))
  })

  it.each([
    ['a paragraph', `# T\n\n${words(20)}\n${words(20)}.`],
    ['an item', `- ${words(36)}`],
    ['a cell', `| a | ${words(36)} |`],
    ['a sentence behind another', `One.\n\nTwo. ${words(36)}.`],
    ['a quotation', `> ${words(36)}`],
  ])('are reported when %s is too long', (_, text) => {
    expect(checkProse('a.md', text)).toEqual([expect.stringMatching(/^a\.md:\d+: a sentence of \d+ words: split it/)])
  })

  it.each([
    ['a block of code', `\`\`\`sh\n${words(50)}\n\`\`\``],
    ['code in a sentence', `Run \`${words(50)}\`.`],
    ['the address of a link', `[a](x.md "${words(50).replaceAll(' ', '-')}")`],
    ['items of a list', `- ${words(20)}\n- ${words(20)}`],
    ['cells', `| ${words(20)} | ${words(20)} |`],
    ['two sentences', `${words(30)}. ${words(30)}!`],
    ['a broken line', `${words(30)}  \n${words(30)}`],
    ['HTML', `<!-- ${words(50)} -->`],
  ])('may be longer together in %s', (_, text) => {
    expect(checkProse('a.md', text)).toEqual([])
  })

  it.each(['a neighbouring page', 'It is optimised.', '| The colours fade |'])(
    'are reported for the spelling of %j',
    (text) => {
      expect(checkProse('a.md', text)).toEqual([expect.stringMatching(/^a\.md:1: '\w+': spell it as Americans/)])
    },
  )

  it.each(['It harms nobody.', '- whoever calls it'])('are reported for a word without a name: %j', (text) => {
    expect(checkProse('a.md', text)).toEqual([expect.stringContaining('name the caller')])
    expect(checkTexts('a.ts', `throw new Error('${text}')`)).toHaveLength(1)
  })

  it('may name what code calls in another spelling', () => {
    expect(checkProse('a.md', 'See `hints/honoured`, and otherwise a rise.')).toEqual([])
  })

  it('end at a full stop, and not within a number, a name or an abbreviation', () => {
    const text = 'It takes 1.5 ms. See `a.b`, e.g. Node 22.12 or `x`. "Quoted." (Closed.) End'
    expect(sentencesOf(text).map((sentence) => sentence.words)).toEqual([4, 7, 1, 1, 1])
  })

  it.each([
    ['a literal', `throw new Error('${words(36)}')`],
    ['a template', `throw new Error(\`${words(20)} \${x} ${words(20)}\`)`],
    ['what is joined', `throw new Error('${words(20)} ' + n + ' ${words(20)}')`],
    ['a line of help', `const help = \`usage: x\\n\\n  --a  ${words(36)}\``],
  ])('are reported in %s of a source', (_, source) => {
    expect(checkTexts('a.ts', source)).toEqual([expect.stringMatching(/^a\.ts:1: a sentence of \d+ words/)])
  })

  it('may be longer together in lines of help', () => {
    expect(checkTexts('a.ts', `const help = \`usage: x\n  --a  ${words(30)}\n  --b  ${words(30)}\``)).toEqual([])
  })
})
