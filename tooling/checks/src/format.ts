// Runs Prettier over the whole workspace with the root's .prettierrc.json. Also checks the length of lines, because
// Prettier does not break a comment or a string.
import { readText, type Workspace } from './workspace.js'
import { runTool } from './tool.js'

/** The longest line, in columns. Prettier's printWidth has the same value. */
const columnsMax = 120

/** Returns a sentence for every file below `root` that Prettier would change. */
export function checkFormat(root: string): string[] {
  const { code, stdout, stderr } = runTool('prettier', ['--list-different', '.'], root)
  if (code !== 0 && code !== 1) throw new Error(`prettier failed with exit code ${code}: ${stdout}${stderr}`)
  return stdout
    .split('\n')
    .filter((file) => file !== '')
    .map((file) => `${file}: Prettier would change this file: run npm run format.`)
}

/** Returns a sentence for every line of code that is too long. */
export function checkColumns(workspace: Workspace): string[] {
  return workspace.files
    .filter((file) => /\.([cm]?[jt]s|css)$/.test(file))
    .flatMap((file) =>
      readText(workspace.root, file)
        .split('\n')
        .flatMap((line, i) =>
          line.length > columnsMax
            ? [`${file}:${i + 1}: the line has ${line.length} columns: break it (${columnsMax} at most).`]
            : [],
        ),
    )
}
