import { all, byId } from './elements.ts'
import { watchFindings } from './findings.ts'
import { watchParts } from './parts.ts'
import { watchTables } from './tables.ts'
import { watchTimeline } from './timeline.ts'

/** What works only with a script is shown only with one. */
document.documentElement.classList.add('scripted')
for (const button of all<HTMLButtonElement>('button[disabled]')) button.disabled = false

watchFindings()
watchTables()
watchTimeline()
watchParts()

/** A day of the calendar looks up its rows. */
for (const button of all<HTMLButtonElement>('button[data-look]'))
  button.addEventListener('click', () => {
    const search = document.querySelector<HTMLInputElement>(`input[data-search="${button.dataset.look}"]`)
    if (!search) return
    search.value = button.dataset.for ?? ''
    search.dispatchEvent(new Event('input'))
    search.focus()
    byId(button.dataset.look ?? '')?.scrollIntoView({ block: 'nearest' })
  })
