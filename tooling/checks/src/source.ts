// Parses source text with oxc's parser. It finds a file's imports and the shapes that oxlint has no rule for.
// imports.ts and shape.ts call it.
import { parseSync, Visitor, type Expression, type Node } from 'oxc-parser'

/** One import, in any syntax. */
export interface Import {
  /** The specifier as written: `@memlayer/core`, `./mem.js`, `node:fs`. Null if it is computed. */
  readonly specifier: string | null
  readonly line: number
}

/** A function and its length. */
export interface FunctionLength {
  /** The function's first line. */
  readonly line: number
  /** The number of its lines. Lines of inner functions don't count, so a closure counts only its own work. */
  readonly lines: number
  /** The name of the call that takes this function as an argument: `describe`. Null for other functions. */
  readonly argumentOf: string | null
}

/** What the checks read of a file. */
export interface Source {
  readonly imports: readonly Import[]
  /** The numbers of the lines with `export * from`. */
  readonly exportStars: readonly number[]
  readonly functions: readonly FunctionLength[]
  /** The parser's error messages. */
  readonly errors: readonly string[]
}

/** Parses a file. The name's extension tells the language. */
export function parseSource(file: string, text: string): Source {
  const { program, errors } = parseSync(file, text)
  const lineOf = lineCounter(text)
  const imports: Import[] = []
  const exportStars: number[] = []
  const spans: Span[] = []
  const callbacks = new Map<Node, string>()

  const add = (source: Expression | null | undefined, at: number): void => {
    if (source === null || source === undefined) return
    imports.push({ specifier: literalText(source), line: lineOf(at) })
  }
  const measure = (node: Node): void => {
    spans.push({ first: lineOf(node.start), last: lineOf(node.end), argumentOf: callbacks.get(node) ?? null })
  }

  new Visitor({
    ImportDeclaration: (node) => add(node.source, node.start),
    ExportNamedDeclaration: (node) => add(node.source, node.start),
    ExportAllDeclaration(node) {
      exportStars.push(lineOf(node.start))
      add(node.source, node.start)
    },
    ImportExpression: (node) => add(node.source, node.start),
    TSImportType: (node) => add(node.source, node.start),
    TSExternalModuleReference: (node) => add(node.expression, node.start),
    CallExpression(node) {
      const name = calleeName(node.callee)
      for (const argument of node.arguments) callbacks.set(argument, name)
      const [first] = node.arguments
      if (node.arguments.length !== 1 || first === undefined || first.type === 'SpreadElement') return
      if (loads(node.callee, name)) add(first, node.start)
    },
    FunctionDeclaration: measure,
    FunctionExpression: measure,
    ArrowFunctionExpression: measure,
  }).visit(program)

  const functions = spans.map((span) => ({
    line: span.first,
    lines: ownLines(span, spans),
    argumentOf: span.argumentOf,
  }))
  return { imports, exportStars, functions, errors: errors.map(({ message }) => message) }
}

/** A text in code: a literal, a template, or what `+` joins of them. */
export interface Text {
  readonly line: number
  /** What is computed stands as `code`. */
  readonly text: string
}

/** Returns the texts of a file. */
export function textsOf(file: string, text: string): Text[] {
  const { program } = parseSync(file, text)
  const lineOf = lineCounter(text)
  const texts: Text[] = []
  const joined = new Set<Node>()
  const add = (node: Expression): void => {
    if (joined.has(node)) return
    const found = textOf(node, joined)
    if (found !== null) texts.push({ line: lineOf(node.start), text: found })
  }
  new Visitor({ BinaryExpression: add, TemplateLiteral: add, Literal: add }).visit(program)
  return texts
}

/** The text of an expression, or null for one that is not a text. What it consists of goes into `parts`. */
function textOf(node: Expression, parts: Set<Node>): string | null {
  parts.add(node)
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : null
  if (node.type === 'TemplateLiteral') return node.quasis.map(({ value }) => value.cooked ?? '').join('code')
  if (node.type !== 'BinaryExpression' || node.operator !== '+') return null
  const [left, right] = [textOf(node.left, parts), textOf(node.right, parts)]
  return left === null && right === null ? null : (left ?? 'code') + (right ?? 'code')
}

interface Span {
  readonly first: number
  readonly last: number
  readonly argumentOf: string | null
}

function ownLines(span: Span, all: readonly Span[]): number {
  const inner = new Set<number>()
  for (const { first, last } of all) {
    const isWithin = first >= span.first && last <= span.last && (first > span.first || last < span.last)
    if (isWithin) for (let line = first; line <= last; line++) inner.add(line)
  }
  inner.delete(span.first)
  inner.delete(span.last)
  return span.last - span.first + 1 - inner.size
}

// Calls that load a module: require('x'), require.resolve('x'), createRequire(…)('x'), import.meta.resolve('x'),
// process.getBuiltinModule('x').
const loaders = new Set([
  'require',
  'require.resolve',
  'import.meta.resolve',
  'process.getBuiltinModule',
  'getBuiltinModule',
])

function loads(callee: Expression, name: string): boolean {
  return loaders.has(name) || (callee.type === 'CallExpression' && calleeName(callee.callee).endsWith('createRequire'))
}

/**
 * Returns the name of a callee: `describe` or `describe.skipIf`. The callee `describe.skipIf(x)` also has the name
 * `describe.skipIf`. Any other callee has the name ''.
 */
function calleeName(callee: Expression): string {
  switch (callee.type) {
    case 'Identifier':
      return callee.name
    case 'CallExpression':
    case 'TaggedTemplateExpression':
      return calleeName(callee.type === 'CallExpression' ? callee.callee : callee.tag)
    case 'MetaProperty':
      return `${callee.meta.name}.${callee.property.name}`
    case 'MemberExpression': {
      const { object, property } = callee
      return property.type === 'Identifier' ? `${calleeName(object)}.${property.name}` : ''
    }
    default:
      return ''
  }
}

function literalText(node: Expression): string | null {
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node.type === 'TemplateLiteral' && node.expressions.length === 0) return node.quasis[0]?.value.cooked ?? null
  return null
}

function lineCounter(text: string): (offset: number) => number {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] as number) <= offset) low = middle
      else high = middle
    }
    return low + 1
  }
}
