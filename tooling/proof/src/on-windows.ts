// Runs in Node for Windows. It runs the suite over os-windows and prints the report as JSON for windows-column.ts.
import { conformance, runCases } from '@memlayer/conformance'
import { windowsSubject } from './windows.js'

console.log(JSON.stringify(runCases(conformance(windowsSubject(), { seed: Number(process.argv[2]) }))))
