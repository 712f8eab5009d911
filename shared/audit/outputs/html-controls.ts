import { type Control, controlsIn, FRAMEWORK_FACTS, FRAMEWORKS, type Framework } from '../controls.ts'
import { html, type Markup } from './html-markup.ts'
import { table } from './html-table.ts'

/** What the numbers of controls mean that findings and rows name, and of which edition they are. */
export const controlsSection = (framework: Framework | undefined): Markup =>
  html`<ul class="note">${FRAMEWORKS.filter((one) => framework === undefined || one === framework).map(
    (one) => html`<li>${FRAMEWORK_FACTS[one].name}: ${FRAMEWORK_FACTS[one].edition}</li>`
  )}</ul>${controlsTable(controlsIn(framework))}`

const controlsTable = (rows: readonly Control[]): Markup =>
  table({
    id: 'control-rows',
    caption: 'Controls',
    noun: 'control',
    empty: '',
    rows,
    columns: [
      { label: 'Control', cell: ({ name }) => name },
      { label: 'Title', cell: ({ title }) => title },
      { label: 'Backed by', cell: ({ backs }) => backs.join(', ') }
    ]
  })
