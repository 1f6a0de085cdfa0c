// Makes a module from an example. The module has the example's lines at the README's line numbers, and makes a
// comparison of each `//=> value`.
import type { Example } from './examples.js'

/** Matches the statement before `//=>` and the text after it. */
const claim = /^(\s*)(\S.*?);?\s*\/\/=>\s*(.*?)\s*$/

/** Returns the module's text, with the README's line numbers. It imports the comparisons from `expectations`. */
export function moduleOf({ file, line, code }: Example, expectations: string): string {
  const claims: number[] = []
  const lines = code.split('\n').map((text, i) => {
    const [, indent = '', statement = '', expected] = claim.exec(text) ?? []
    if (expected === undefined) return text
    const at = line + i
    if (expected === '') throw new Error(`${file}:${at}: the claim //=> has no value: write one behind it`)
    claims.push(at)
    return indent + comparison(statement, `${at}, ${JSON.stringify(expected)}`)
  })
  const names = 'claims as $claims, printed as $printed, value as $value'
  const header = `import { ${names} } from ${JSON.stringify(expectations)}; $claims(${JSON.stringify(claims)})`
  // The code starts below a fence, so the first line is free for the header.
  return `${header}${'\n'.repeat(line - 1)}${lines.join('\n')}\n`
}

function comparison(statement: string, claimed: string): string {
  const [, logged] = /^console\.log\((.*)\)$/.exec(statement) ?? []
  if (logged !== undefined) return `$printed(${claimed}, ${logged})`
  const [, declared] = /^(?:const|let|var)\s+([\w$]+)\b/.exec(statement) ?? []
  if (declared !== undefined) return `${statement}; $value(${claimed}, ${declared})`
  return `$value(${claimed}, ${statement})`
}
