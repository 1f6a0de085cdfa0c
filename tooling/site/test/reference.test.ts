// Tests the page of an entry, from declarations that API Extractor reads.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeModels } from '@memlayer/checks/api-reports'
import { indexOf, pageOf, readModule } from '@memlayer/site/reference'
import { afterAll, describe, expect, it } from 'vitest'

const declarations = `import type { Region } from '@memlayer/core';
/** Options of {@link openBox}. */
export interface Options {
  /** The size | in bytes. */
  readonly size?: number;
  /** Called with a {@link Box}. */
  onOpen(box: Box): void;
}
/**
 * A box \\<of bytes\\>. It has \\{\\{ two \\}\\} sentences.
 * @throws UsageError, ERR_MEMLAYER_SIZE if it is empty.
 */
export declare class Box {
  /** Takes \`options\`. */
  constructor(options?: Options);
  /** By offset. */
  read(offset: number): number;
  /** By name. */
  read(name: string): number;
}
/** Has the name of a global. */
export interface Cache {
  /** Its region. */
  readonly region: Region;
}
/**
 * Opens a box.
 * @param options - Where and how.
 * @returns A box, open.
 */
export declare function openBox(options: Options): Box;
`

const root = mkdtempSync(join(tmpdir(), 'memlayer-site-'))
afterAll(() => rmSync(root, { recursive: true }))

function moduleOf(text: string): ReturnType<typeof readModule> {
  mkdirSync(join(root, 'packages/x/dist'), { recursive: true })
  mkdirSync(join(root, 'packages/x/node_modules/@memlayer/core'), { recursive: true })
  const core = { name: '@memlayer/core', version: '1.0.0', types: 'index.d.ts' }
  writeFileSync(join(root, 'packages/x/node_modules/@memlayer/core/package.json'), JSON.stringify(core))
  writeFileSync(
    join(root, 'packages/x/node_modules/@memlayer/core/index.d.ts'),
    '/** A region. */\nexport declare class Region {\n}\n',
  )
  writeFileSync(join(root, 'packages/x/package.json'), JSON.stringify({ name: '@memlayer/x', version: '1.0.0' }))
  writeFileSync(join(root, 'packages/x/dist/index.d.ts'), text)
  const entry = { folder: 'packages/x', name: 'index', declarations: 'dist/index.d.ts' }
  const [file = ''] = writeModels(root, [entry], root)
  const report =
    "import { Region } from '@memlayer/core';\nimport { Gone } from '@memlayer/core';\n\nexport { Region }\n"
  return readModule('@memlayer/x', file, report)
}

describe('the page of an entry', () => {
  const module = moduleOf(declarations)
  const index = new Map([
    ...indexOf([module]),
    ['@memlayer/core!Region:class', { href: './core.html#Region', says: 'A region.' }],
  ])
  const page = pageOf(module, index)

  it('lists what it exports by kind, with the first sentence', () => {
    expect(page).toContain('| Functions | |\n| --- | --- |\n| [`openBox`](#openBox) | Opens a box. |')
    expect(page).toContain('| [`Box`](#Box) | A box &lt;of bytes>. |')
  })

  it('leads from the types of a signature to their places', () => {
    expect(page).toContain(
      '<code>function openBox(options: <a href="./x.html#Options">Options</a>): <a href="./x.html#Box">Box</a>;</code>',
    )
  })

  it('has a row a property, and a heading a method, with anchors', () => {
    expect(page).toContain(
      '| <span id="Options.size"></span>`size` | <code v-pre>number</code> | The size \\| in bytes. |',
    )
    expect(page).toContain('### onOpen() {#Options.onOpen}')
    expect(page).toContain('Called with a [`Box`](./x.html#Box).')
  })

  it('leads to types of other packages', () => {
    expect(page).toContain('<code v-pre><a href="./core.html#Region">Region</a></code>')
  })

  it('calls an export that has the name of a global by its own name', () => {
    expect(page).toContain('## Cache {#Cache}')
    expect(page).not.toContain('Cache_2')
  })

  it('gives each overload an anchor of its own', () => {
    expect(page).toContain('### read() {#Box.read}')
    expect(page).toContain('### read() {#Box.read-2}')
    expect(page).toContain('### new Box() {#Box.constructor}')
  })

  it('has what is given, returned and thrown, and leads a code to its entry', () => {
    expect(page).toContain('- `options`: Where and how.')
    expect(page).toContain('**Returns** A box, open.')
    expect(page).toContain(
      '**Throws** UsageError, [ERR_MEMLAYER_SIZE](../guide/errors.md#err_memlayer_size) if it is empty.',
    )
  })

  it('escapes what a template would read', () => {
    expect(page).toContain('A box &lt;of bytes>. It has <span v-pre>{</span><span v-pre>{</span> two }} sentences.')
  })

  it('leads a name that was passed on twice to where it is declared', () => {
    const imports = (from: string): Pick<typeof module, 'imports' | 'others' | 'items'> => ({
      imports: new Map([['openBox', from]]),
      others: ['openBox'],
      items: [],
    })
    const second = { ...module, name: '@memlayer/y', ...imports('@memlayer/x') }
    const third = { ...module, name: 'memlayer', ...imports('@memlayer/y') }
    const text = pageOf(third, indexOf([third, second, module]))
    expect(text).toContain('| [`openBox`](./x.html#openBox) | Opens a box. |')
  })

  it('names what it passes on from other packages, and not what it only imports', () => {
    expect(page).toContain(
      '| Names of other packages | |\n| --- | --- |\n| [`Region`](./core.html#Region) | A region. |',
    )
    expect(page).not.toContain('Gone')
  })
})
