// The page as a text, which server.ts serves. It is in the code, so that a bundle has it. build-page.mjs writes the
// text into the compiled file.

/** The page. */
export const pageHtml: string = ''
