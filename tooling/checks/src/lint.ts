// oxlint over the whole workspace with the root's .oxlintrc.json, where the rules are.
import { runTool } from './tool.js'

interface Diagnostic {
  readonly message: string
  readonly help?: string
  readonly code?: string
  readonly filename: string
  readonly labels: readonly { readonly span: { readonly line: number } }[]
}

/** Sentences about every rule that is broken in `path`, which is in `root`, where the configuration is. */
export function checkLint(root: string, path = '.'): string[] {
  const { stdout, stderr } = runTool('oxlint', ['--format=json', path], root)
  if (!stdout.trimStart().startsWith('{')) throw new Error(`oxlint did not run: ${stdout}${stderr}`)
  const { diagnostics } = JSON.parse(stdout) as { readonly diagnostics: readonly Diagnostic[] }
  return diagnostics.map(({ message, help, code, filename, labels }) => {
    const line = labels[0]?.span.line ?? 1
    return `${filename.replaceAll('\\', '/')}:${line}: ${message} ${help ?? ''} (${code ?? 'oxlint'})`
  })
}
