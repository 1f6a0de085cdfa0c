// Finds the mutants of a file, and writes the file with chosen ones behind a switch: at each place of a mutant the code
// asks `globalThis.memlayerMutant?.(number)` which of both it runs. So one build serves every mutant.
import { parseSync, type Function, type Node } from 'oxc-parser'
import { changesOf, conditionChanges, type Change, type Operator } from './operators.js'

/** A place in a file, and one way in which it is wrong. */
export interface Mutant {
  /** The path below the source folder: `ledger/ledger.ts`. */
  readonly file: string
  readonly line: number
  readonly operator: Operator
  /** Says the place and the change without a line number, which any change above would move. */
  readonly name: string
  /** Where the node starts and ends, and what takes its place. */
  readonly start: number
  readonly end: number
  readonly put: string
}

/** How much of a node's source a name has. */
const nameLengthMax = 45

/** Finds every mutant of a file, in the order of its lines. */
export function mutantsIn(file: string, text: string): Mutant[] {
  const { program, errors } = parseSync(file, text)
  const [error] = errors
  if (error !== undefined) throw new Error(`${file} has a syntax error: ${error.message}`)
  const found: Mutant[] = []
  const names = new Map<string, number>()
  const add = (node: Node, scope: string, change: Change): void => {
    const from = shortened(text.slice(node.start, node.end))
    const name = `${file} ${scope}: ${from} -> ${shortened(change.put) || 'nothing'}`
    const count = (names.get(name) ?? 0) + 1
    names.set(name, count)
    found.push({
      file,
      line: text.slice(0, node.start).split('\n').length,
      operator: change.operator,
      name: count === 1 ? name : `${name} (${count})`,
      start: node.start,
      end: node.end,
      put: change.put,
    })
  }
  const visit = (node: Node, parent: Node | null, scope: string): void => {
    if (isType(node)) return
    const inner = scopeOf(node, scope)
    for (const change of changesOf(node, parent, text)) add(node, inner, change)
    const test = testOf(node)
    if (test !== null) for (const change of conditionChanges(test.node, test.isLoop)) add(test.node, inner, change)
    const body = bodyOf(node)
    if (body !== null) add(body, inner, { operator: 'body', put: '' })
    for (const child of childrenOf(node)) visit(child, node, inner)
  }
  visit(program, null, '')
  return found
}

/** Writes the source with these mutants in it. Each is on while the switch says so of its number. */
export function instrument(file: string, text: string, chosen: ReadonlyMap<Mutant, number>): string {
  const { program } = parseSync(file, text)
  const bySpan = new Map<string, Mutant[]>()
  for (const mutant of chosen.keys()) {
    const { operator, start, end } = mutant
    const kind = operator === 'statement' || operator === 'body' ? operator : ''
    const key = `${kind} ${start} ${end}`
    bySpan.set(key, [...(bySpan.get(key) ?? []), mutant])
  }
  const at = (kind: string, node: Node): Mutant[] => bySpan.get(`${kind} ${node.start} ${node.end}`) ?? []
  const isOn = (mutant: Mutant): string => `globalThis.memlayerMutant?.(${chosen.get(mutant)})`
  const render = (node: Node): string => {
    const inner = isType(node) ? text.slice(node.start, node.end) : joined(node, text, render)
    if (node.type === 'ExpressionStatement') {
      const [removed] = at('statement', node)
      // A block, because a line without a semicolon may stand before: a parenthesis would call what is on it.
      return removed === undefined ? `{ ${inner} }` : `{ if (!${isOn(removed)}) { ${inner} } }`
    }
    if (node.type === 'BlockStatement') {
      const [emptied] = at('body', node)
      return emptied === undefined ? inner : `{ if (${isOn(emptied)}) return; ${inner.slice(1)}`
    }
    const changes = at('', node)
    if (changes.length === 0) return inner
    return `(${changes.map((mutant) => `${isOn(mutant)} ? (${mutant.put}) : `).join('')}${inner})`
  }
  return text.slice(0, program.start) + render(program) + text.slice(program.end)
}

/** Asks for no mutant. The switch looks at the clock then, and ends a loop that a mutant made endless. */
const ask = 'globalThis.memlayerMutant?.(-1)'

function loopBodyOf(node: Node): Node | null {
  const isLoop = /^(While|DoWhile|For|ForOf|ForIn)Statement$/.test(node.type)
  return isLoop && 'body' in node && isNode(node.body) ? node.body : null
}

/** A node's source, with its children as `render` writes them. */
function joined(node: Node, text: string, render: (node: Node) => string): string {
  const body = loopBodyOf(node)
  let out = ''
  let done = node.start
  for (const child of childrenOf(node)) {
    // The key and the value of `{ a }` are one place.
    if (child.start < done) continue
    out += text.slice(done, child.start) + (child === body ? `{ ${ask}; ${render(child)} }` : render(child))
    done = child.end
  }
  return out + text.slice(done, node.end)
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value
}

/** The nodes in a node, in the order of the text. */
function childrenOf(node: Node): Node[] {
  const values: unknown[] = Object.entries(node).flatMap(([key, value]: [string, unknown]) =>
    key === 'parent' ? [] : value,
  )
  return values.filter((value) => isNode(value)).toSorted((a, b) => a.start - b.start || b.end - a.end)
}

/** Expressions that have a type beside them. All other nodes of types are left as they are. */
const withExpression: ReadonlySet<string> = new Set(['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression'])

function isType(node: Node): boolean {
  if (node.type.startsWith('Import')) return node.type !== 'ImportExpression'
  return node.type.startsWith('TS') && !withExpression.has(node.type)
}

function testOf(
  node: Node,
): { readonly node: Parameters<typeof conditionChanges>[0]; readonly isLoop: boolean } | null {
  switch (node.type) {
    case 'IfStatement':
    case 'ConditionalExpression':
      return { node: node.test, isLoop: false }
    case 'WhileStatement':
    case 'DoWhileStatement':
      return { node: node.test, isLoop: true }
    case 'ForStatement':
      return node.test === null ? null : { node: node.test, isLoop: true }
    default:
      return null
  }
}

/** The body of a function without a result, if it has more than one statement. */
function bodyOf(node: Node): Node | null {
  if (node.type !== 'FunctionDeclaration' && node.type !== 'FunctionExpression') return null
  const { body } = node
  if (body === null || body.body.length < 2 || node.generator || hasResult(body) || hasSuper(body)) return null
  return body
}

function hasResult(node: Node): boolean {
  if (node.type === 'ReturnStatement') return node.argument !== null
  return childrenOf(node).some((child) => !isFunction(child) && hasResult(child))
}

function hasSuper(node: Node): boolean {
  return node.type === 'Super' || childrenOf(node).some(hasSuper)
}

function isFunction(node: Node): node is Function {
  return /^(Function(Declaration|Expression)|ArrowFunctionExpression)$/.test(node.type)
}

/** The name of a function or a method, after the name of its class. */
function scopeOf(node: Node, scope: string): string {
  if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') return node.id?.name ?? scope
  if (node.type !== 'MethodDefinition' || node.computed) return scope
  const { key } = node
  const name = key.type === 'PrivateIdentifier' ? `#${key.name}` : key.type === 'Identifier' ? key.name : ''
  return scope === '' ? name : `${scope}.${name}`
}

function shortened(source: string): string {
  const line = source.replaceAll(/\s+/g, ' ')
  return line.length > nameLengthMax ? `${line.slice(0, nameLengthMax)}…` : line
}
