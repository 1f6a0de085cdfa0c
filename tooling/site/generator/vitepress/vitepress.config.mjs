// The configuration of VitePress. build.ts copies it beside the pages, and writes contents.json.
import { readFileSync } from 'node:fs'

const contents = JSON.parse(readFileSync(new URL('contents.json', import.meta.url), 'utf8'))

// Part of the page, so that no browser asks the host for another icon.
const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E" +
  "%3Cpath fill='%230d7a6f' d='M1 2h14v3H1z'/%3E%3Cpath fill='%2338b2a3' d='M1 6.5h9v3H1z'/%3E" +
  "%3Cpath fill='%2394d8cf' d='M1 11h4v3H1z'/%3E%3C/svg%3E"

export default {
  title: 'memlayer',
  description: contents.description,
  lang: 'en-US',
  base: contents.base,
  outDir: contents.outDir,
  head: [['link', { rel: 'icon', href: icon }]],
  // A page loads itself, and not the pages that it leads to.
  router: { prefetchLinks: false },
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    anchor: { slugify },
    config: renderTables,
  },
  themeConfig: {
    nav: contents.nav,
    sidebar: contents.sidebar,
    outline: [2, 3],
    search: { provider: 'local', options: { detailedView: false } },
    editLink: {
      pattern: ({ frontmatter }) => `${frontmatter.source}`,
      text: 'The source of this page',
    },
    externalLinkIcon: true,
    footer: { message: 'BSD-3-Clause' },
  },
}

/** The anchors that GitHub makes, so that a link leads to the same heading in both places. */
function slugify(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .trim()
    .replaceAll(' ', '-')
}

/** A table scrolls by the keyboard too, and a column without a title has no heading that a screen reader would tell. */
function renderTables(md) {
  const { rules } = md.renderer
  rules.table_open = () => '<div class="wide" tabindex="0" role="group" aria-label="Table"><table>'
  rules.table_close = () => '</table></div>'
  const cell = (contentAt) => (tokens, i, options, _, self) => {
    const token = tokens[i]
    if (tokens[i + contentAt].content === '') token.tag = 'td'
    return self.renderToken(tokens, i, options)
  }
  rules.th_open = cell(1)
  rules.th_close = cell(-1)
}
