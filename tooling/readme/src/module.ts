// From an example to the module that is run in its place: the same lines at the same numbers,
// each `//=> value` made a comparison.
import type { Example } from './examples.js'

/** What stands before `//=>`, and what after. */
const claim = /^(\s*)(\S.*?);?\s*\/\/=>\s*(.*?)\s*$/

/** The module's text. Its line numbers are the README's; `expectations` is where the comparisons come from. */
export function moduleOf({ file, line, code }: Example, expectations: string): string {
  const claims: number[] = []
  const lines = code.split('\n').map((text, i) => {
    const [, indent = '', statement = '', expected] = claim.exec(text) ?? []
    if (expected === undefined) return text
    const at = line + i
    if (expected === '') throw new Error(`${file}:${at}: nothing follows //=>`)
    claims.push(at)
    return indent + comparison(statement, `${at}, ${JSON.stringify(expected)}`)
  })
  const names = 'claims as $claims, printed as $printed, value as $value'
  const header = `import { ${names} } from ${JSON.stringify(expectations)}; $claims(${JSON.stringify(claims)})`
  // The code starts below a fence, so that the first line is free.
  return `${header}${'\n'.repeat(line - 1)}${lines.join('\n')}\n`
}

function comparison(statement: string, claimed: string): string {
  const [, logged] = /^console\.log\((.*)\)$/.exec(statement) ?? []
  if (logged !== undefined) return `$printed(${claimed}, ${logged})`
  const [, declared] = /^(?:const|let|var)\s+([\w$]+)\b/.exec(statement) ?? []
  if (declared !== undefined) return `${statement}; $value(${claimed}, ${declared})`
  return `$value(${claimed}, ${statement})`
}
