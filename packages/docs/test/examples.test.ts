// The examples of every document here.
import { testExamples } from '@memlayer/readme/vitest'

for (const document of ['concepts', 'errors', 'porting', 'which-one-when'])
  testExamples(new URL(`../${document}.md`, import.meta.url))
