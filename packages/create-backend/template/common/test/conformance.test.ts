// The suite that every backend must pass, with one test per case. `npm run conformance` prints it as a report.
import { defineTests } from '@memlayer/conformance'
import { describe, it } from 'vitest'
import { subject } from './subject.js'

defineTests(subject, { describe, it })
