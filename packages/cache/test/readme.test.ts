import { testExamples } from '@memlayer/readme/vitest'

testExamples(new URL('../README.md', import.meta.url))
