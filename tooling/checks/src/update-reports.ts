// `npm run api` writes all API reports, and removes the reports of entries that no longer exist.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { entriesOf, reportFile, runReports, strayReports } from './api-reports.js'
import { publicPackages, readWorkspace } from './workspace.js'

const workspace = readWorkspace()
const packages = publicPackages(workspace)
const entries = packages.flatMap(entriesOf)
const findings = runReports(workspace.root, entries, true)
for (const file of packages.flatMap(strayReports)) rmSync(join(workspace.root, file))
for (const entry of entries) console.log(reportFile(entry))
for (const finding of findings) console.error(finding)
console.log(`${entries.length} reports written: review the changes with \`git diff packages/*/etc\` and commit them.`)
process.exitCode = findings.length === 0 ? 0 : 1
