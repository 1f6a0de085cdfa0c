// Runs in Node for Windows, for windows-column.ts: the suite over os-windows, its report as JSON.
import { conformance, runCases } from '@memlayer/conformance'
import { windowsSubject } from './windows.js'

console.log(JSON.stringify(runCases(conformance(windowsSubject(), { seed: Number(process.argv[2]) }))))
