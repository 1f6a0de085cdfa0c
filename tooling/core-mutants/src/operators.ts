// The ways in which a piece of source is made wrong. instrument.ts asks for each node of a file.
import type { Argument, CallExpression, Expression, Node } from 'oxc-parser'

/** What an operator does: part of a mutant's name, and a row of the summary. */
export type Operator =
  | 'condition'
  | 'comparison'
  | 'arithmetic'
  | 'logic'
  | 'negation'
  | 'step'
  | 'constant'
  | 'boolean'
  | 'list'
  | 'bound'
  | 'statement'
  | 'body'

/** One way of being wrong. */
export interface Change {
  readonly operator: Operator
  /** The source that takes the node's place. Empty for a removed statement or body. */
  readonly put: string
}

/** Every operator, and what it does. */
export const operators: Readonly<Record<Operator, string>> = {
  condition: 'a condition is always true, or always false',
  comparison: '`<` becomes `<=`, `===` becomes `!==`',
  arithmetic: '`+` becomes `-`, `*` becomes `/`, `&` becomes `|`',
  logic: '`&&` becomes `||`, and `a ?? b` becomes `a`',
  negation: '`!`, `-` or `~` is dropped',
  step: '`++` becomes `--`, and `+=` becomes `-=`',
  constant: 'a number is one more',
  boolean: '`true` becomes `false`',
  list: 'a list is empty',
  bound: '`Math.min` becomes `Math.max`, `Math.floor` becomes `Math.ceil`, `some` becomes `every`',
  statement: 'a call or an assignment is left out',
  body: 'a function without a result returns at once',
}

const comparisons: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
}
const arithmetic: Readonly<Record<string, string>> = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '**': '*',
  '&': '|',
  '|': '&',
  '<<': '>>',
  '>>': '<<',
  '>>>': '<<',
}
const steps: Readonly<Record<string, string>> = {
  '+=': '-=',
  '-=': '+=',
  '*=': '/=',
  '/=': '*=',
  '|=': '&=',
  '&=': '|=',
}
const opposites: Readonly<Record<string, string>> = {
  min: 'max',
  max: 'min',
  floor: 'ceil',
  ceil: 'floor',
  some: 'every',
  every: 'some',
}
/** The objects of which these methods are called. Any other `min` is somebody's own. */
const onMath: ReadonlySet<string> = new Set(['min', 'max', 'floor', 'ceil'])

/** The changes of a node. `text` is the file's source; `parent` is the node around it. */
export function changesOf(node: Node, parent: Node | null, text: string): Change[] {
  const source = (part: Node): string => text.slice(part.start, part.end)
  switch (node.type) {
    case 'BinaryExpression':
      return binaryChanges(node, source)
    case 'LogicalExpression': {
      if (node.operator === '??') return [{ operator: 'logic', put: source(node.left) }]
      const other = node.operator === '&&' ? '||' : '&&'
      return [{ operator: 'logic', put: `(${source(node.left)}) ${other} (${source(node.right)})` }]
    }
    case 'UnaryExpression':
      if (node.operator !== '!' && node.operator !== '-' && node.operator !== '~') return []
      return [{ operator: 'negation', put: source(node.argument) }]
    case 'UpdateExpression': {
      const other = node.operator === '++' ? '--' : '++'
      const of = source(node.argument)
      return [{ operator: 'step', put: node.prefix ? `${other}${of}` : `${of}${other}` }]
    }
    case 'AssignmentExpression': {
      const other = steps[node.operator]
      if (other === undefined || isText(node.right)) return []
      return [{ operator: 'step', put: `${source(node.left)} ${other} ${source(node.right)}` }]
    }
    case 'Literal':
      return literalChanges(node.value, parent, node)
    case 'ArrayExpression':
      return node.elements.length === 0 || isConstant(parent) ? [] : [{ operator: 'list', put: '[]' }]
    case 'CallExpression':
      return boundChanges(node, source)
    case 'ExpressionStatement':
      return isRemovable(node.expression) ? [{ operator: 'statement', put: '' }] : []
    default:
      return []
  }
}

/** The changes of an expression that decides: the test of an `if`, a loop or a `?:`. */
export function conditionChanges(test: Expression, isLoop: boolean): Change[] {
  if (test.type === 'Literal') return []
  const never: Change = { operator: 'condition', put: 'false' }
  // A loop whose condition is always true says nothing but that it does not end.
  return isLoop ? [never] : [{ operator: 'condition', put: 'true' }, never]
}

type Binary = Extract<Node, { type: 'BinaryExpression' }>

function binaryChanges(node: Binary, source: (part: Node) => string): Change[] {
  const { left, right } = node
  if (left.type === 'PrivateIdentifier') return []
  if (isText(left) || isText(right)) {
    const other = node.operator === '===' || node.operator === '!==' ? comparisons[node.operator] : undefined
    return other === undefined ? [] : [{ operator: 'comparison', put: `(${source(left)}) ${other} (${source(right)})` }]
  }
  const comparison = comparisons[node.operator]
  const other = comparison ?? arithmetic[node.operator]
  if (other === undefined) return []
  const operator = comparison === undefined ? 'arithmetic' : 'comparison'
  return [{ operator, put: `(${source(left)}) ${other} (${source(right)})` }]
}

function literalChanges(value: unknown, parent: Node | null, node: Node): Change[] {
  if (isConstant(parent) || (parent?.type === 'Property' && parent.key === node)) return []
  if (typeof value === 'boolean') return [{ operator: 'boolean', put: String(!value) }]
  if (typeof value === 'number') return [{ operator: 'constant', put: String(value + 1) }]
  return []
}

function boundChanges(node: CallExpression, source: (part: Node) => string): Change[] {
  const { callee } = node
  if (callee.type !== 'MemberExpression' || callee.computed || callee.property.type !== 'Identifier') return []
  const { name } = callee.property
  const other = opposites[name]
  const isMath = callee.object.type === 'Identifier' && callee.object.name === 'Math'
  if (other === undefined || onMath.has(name) !== isMath) return []
  const given = node.arguments.map((argument: Argument) => source(argument)).join(', ')
  return [{ operator: 'bound', put: `${source(callee.object)}.${other}(${given})` }]
}

function isRemovable(expression: Expression): boolean {
  if (expression.type === 'AwaitExpression') return isRemovable(expression.argument)
  if (expression.type === 'ChainExpression') return isRemovable(expression.expression)
  if (expression.type === 'CallExpression') return expression.callee.type !== 'Super'
  return expression.type === 'AssignmentExpression' || expression.type === 'UpdateExpression'
}

function isText(node: Node): boolean {
  if (node.type === 'TemplateLiteral') return true
  if (node.type === 'BinaryExpression') return isText(node.left) || isText(node.right)
  return node.type === 'Literal' && typeof node.value === 'string'
}

/** Whether a node is a constant of the types: `1 as const`. */
function isConstant(parent: Node | null): boolean {
  return parent?.type === 'TSAsExpression' && parent.typeAnnotation.type === 'TSTypeReference'
    ? parent.typeAnnotation.typeName.type === 'Identifier' && parent.typeAnnotation.typeName.name === 'const'
    : false
}
