import { testExamplesOnWindows } from '@memlayer/wine'

testExamplesOnWindows(new URL('../README.md', import.meta.url))
