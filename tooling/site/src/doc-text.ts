// Makes Markdown of a TSDoc comment. reference.ts calls it for each export and each member.
import type {
  DocCodeSpan,
  DocErrorText,
  DocEscapedText,
  DocFencedCode,
  DocHtmlEndTag,
  DocHtmlStartTag,
  DocLinkTag,
  DocNode,
  DocPlainText,
  DocSection,
} from '@microsoft/tsdoc'

/** Returns where a link of a comment leads, or null for what is not a page. */
export type Resolve = (destination: NonNullable<DocLinkTag['codeDestination']>) => string | null

/** The Markdown of a section, without space around it. */
export function textOf(section: DocSection | undefined, resolve: Resolve): string {
  return section === undefined
    ? ''
    : section.nodes
        .map((node) => markdown(node, resolve))
        .join('')
        .trim()
}

/** A section as one line, for the cell of a table. */
export function lineOf(section: DocSection | undefined, resolve: Resolve): string {
  return textOf(section, resolve)
    .replace(/\s*\n\s*/g, ' ')
    .replaceAll('|', '\\|')
}

/** The first sentence of a line. */
export function firstSentence(line: string): string {
  return /^.*?[.!?](?=\s|$)/.exec(line)?.[0] ?? line
}

/** Text that Markdown and the generator's templates would read as something else. */
export function plain(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('{', '<span v-pre>{</span>')
    .replaceAll(/\bERR_MEMLAYER_\w+/g, (code) => `[${code}](../guide/errors.md#${code.toLowerCase()})`)
}

function markdown(node: DocNode, resolve: Resolve): string {
  switch (node.kind) {
    case 'Paragraph':
      return `${node
        .getChildNodes()
        .map((child) => markdown(child, resolve))
        .join('')}\n\n`
    case 'PlainText':
      return plain((node as DocPlainText).text)
    case 'EscapedText':
      return plain((node as DocEscapedText).decodedText)
    case 'HtmlStartTag':
    case 'HtmlEndTag':
      return plain((node as DocHtmlStartTag | DocHtmlEndTag).emitAsHtml())
    case 'ErrorText':
      return plain((node as DocErrorText).text)
    case 'SoftBreak':
      return '\n'
    case 'CodeSpan':
      return codeSpan((node as DocCodeSpan).code)
    case 'FencedCode': {
      const { language, code } = node as DocFencedCode
      return `\`\`\`${language}\n${code}\`\`\`\n\n`
    }
    case 'LinkTag':
      return linkTag(node as DocLinkTag, resolve)
    default:
      return node
        .getChildNodes()
        .map((child) => markdown(child, resolve))
        .join('')
  }
}

/** A code of an error leads to its entry, also where the comment has it as code. */
function codeSpan(code: string): string {
  const span = `\`${code}\``
  return /^ERR_MEMLAYER_\w+$/.test(code) ? `[${span}](../guide/errors.md#${code.toLowerCase()})` : span
}

function linkTag(tag: DocLinkTag, resolve: Resolve): string {
  const { urlDestination: url, codeDestination: code, linkText } = tag
  if (url !== undefined) return `[${linkText ?? url}](${url})`
  const name = linkText ?? code?.memberReferences.map((member) => member.memberIdentifier?.identifier).join('.') ?? ''
  const target = code === undefined ? null : resolve(code)
  return target === null ? `\`${name}\`` : `[\`${name}\`](${target})`
}
