// Prettier over the whole workspace with the root's .prettierrc.json, and the length of lines, which
// Prettier does not cut inside a comment or a string.
import { readText, type Workspace } from './workspace.js'
import { runTool } from './tool.js'

/** The longest line, in columns. Prettier's printWidth says the same. */
const columnsMax = 120

/** Sentences about every file below `root` that is not as Prettier writes it. */
export function checkFormat(root: string): string[] {
  const { code, stdout, stderr } = runTool('prettier', ['--list-different', '.'], root)
  if (code !== 0 && code !== 1) throw new Error(`prettier did not run: ${stdout}${stderr}`)
  return stdout
    .split('\n')
    .filter((file) => file !== '')
    .map((file) => `${file}: not as Prettier writes it: run npm run format.`)
}

/** Sentences about every line of code that is too long. */
export function checkColumns(workspace: Workspace): string[] {
  return workspace.files
    .filter((file) => /\.([cm]?[jt]s|css)$/.test(file))
    .flatMap((file) =>
      readText(workspace.root, file)
        .split('\n')
        .flatMap((line, i) =>
          line.length > columnsMax
            ? [`${file}:${i + 1}: ${line.length} columns: break the line (${columnsMax} at most).`]
            : [],
        ),
    )
}
