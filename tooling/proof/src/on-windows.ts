// Runs in Node for Windows. It runs the suite over os-windows and os-engine, and prints the reports as JSON for
// windows-column.ts.
import { conformance, runCases } from '@memlayer/conformance'
import { engineOnWindows, windowsSubject } from './windows.js'

const seed = Number(process.argv[2])
const subjects = [windowsSubject(), engineOnWindows()]
console.log(
  JSON.stringify(subjects.map((subject) => ({ name: subject.name, report: runCases(conformance(subject, { seed })) }))),
)
