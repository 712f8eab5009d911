import { build } from 'esbuild'

/** The module that carries the style and the script of the audit's report as text. */
export const PAGE_ASSETS_FILE = 'shared/audit/outputs/html-assets.ts'

/** Of the page's own sources, which are the browser's and are compiled apart: what PAGE_ASSETS_FILE must hold. */
export async function pageAssets(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ['shared/audit/outputs/page/page.ts', 'shared/audit/outputs/page/page.css'],
    outdir: 'dist',
    write: false,
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2023',
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning'
  })
  const text = (ending: string): string => {
    const found = outputFiles.find(({ path }) => path.endsWith(ending))
    return `\`${found?.text.trim().replaceAll(/[\\`]|\$(?=\{)/g, '\\$&')}\``
  }
  return `/** Written by \`npm run docs\` from page/; a test compares them. */
export const PAGE_STYLE = ${text('.css')}

export const PAGE_SCRIPT = ${text('.js')}
`
}
