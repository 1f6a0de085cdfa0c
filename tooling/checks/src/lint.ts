// Runs oxlint over the whole workspace. The rules are in the root's .oxlintrc.json.
import { runTool } from './tool.js'

interface Diagnostic {
  readonly message: string
  readonly help?: string
  readonly code?: string
  readonly filename: string
  readonly labels: readonly { readonly span: { readonly line: number } }[]
}

/** Returns a sentence for every broken rule in `path`. `root` is the folder with the configuration. */
export function checkLint(root: string, path = '.'): string[] {
  const { stdout, stderr } = runTool('oxlint', ['--format=json', path], root)
  if (!stdout.trimStart().startsWith('{')) throw new Error(`oxlint printed no JSON: ${stdout}${stderr}`)
  const { diagnostics } = JSON.parse(stdout) as { readonly diagnostics: readonly Diagnostic[] }
  return diagnostics.map(({ message, help, code, filename, labels }) => {
    const line = labels[0]?.span.line ?? 1
    return `${filename.replaceAll('\\', '/')}:${line}: ${message} ${help ?? ''} (${code ?? 'oxlint'})`
  })
}
