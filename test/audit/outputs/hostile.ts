import type { Summary } from '../../../shared/audit/summary.ts'
import { sampleSummary } from '../sample-summary.ts'

/** Names that somebody who may write to a log could think of. */
export const HOSTILE: readonly string[] = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<!-- ',
  '<https://evil.example>',
  '[click](javascript:alert(1))',
  '![x](https://evil.example/x.png)',
  'see https://evil.example/?q=1 or http://evil.example',
  'www.evil.example and ftp://evil.example',
  'somebody@evil.example',
  '@everyone fixes #1 in owner/name#2 :tada:',
  '`a` ``b`` ```c',
  '`',
  ' ` ',
  ' both ',
  '```\ncode\n```',
  'a|b \\| c \\\\| d',
  '|',
  '\\',
  'back\\slash\\',
  'two\nlines\r\n\r\n# a heading',
  '\n- [ ] a task\n\n> quoted\n\n---\n',
  '\t    code',
  '# heading #',
  '**bold** __bold__ *it* _it_ ~~gone~~ ~gone~',
  '&lt;b&gt; &amp; &#x3c;b&#x3e;',
  '$x^2$ $$y$$',
  '[^1] [x]: https://evil.example',
  '| --- | --- |',
  '===',
  '1. one',
  '+ plus',
  'safe\u202egnp.exe',
  'zero\u200bwidth\u2028line\u0000nul\u001b[31mred',
  '\ud800lone',
  '</code></pre></table>',
  '=HYPERLINK("https://evil.example","x")',
  '+1+1',
  '-1-1',
  '@SUM(1)',
  '\t=1',
  '\r=1',
  '  =1',
  '＝1',
  '"; =1',
  'x'.repeat(5_000)
]

/** What is a word of the program's own, or a number, and not of the log. */
const OWN = new Set([
  ...['severity', 'signal', 'technique', 'unit', 'state', 'class', 'format', 'identityType', 'from', 'kinds', 'controls'],
  ...['code', 'zone', 'charts', 'retention', 'store', 'id']
])

/** The sample, with every text that may come from a log made this one. */
export function summaryNamed(text: string): Summary {
  const renamed = (value: unknown): unknown => {
    if (typeof value === 'string') return text
    if (Array.isArray(value)) return value.map(renamed)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, OWN.has(key) ? member : renamed(member)]))
  }
  return renamed(sampleSummary()) as Summary
}
