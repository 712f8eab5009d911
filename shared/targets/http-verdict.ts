import type { ApiAnswer } from '../provider-api.ts'
import { codeIn, wordOf } from './http-answers.ts'
import type { HttpDescription, HttpMatch } from './http-description.ts'
import type { Called } from './minted-provider.ts'

/** What a call with the key says of it, by the rules of `verify` and nothing else: no rule, or rules that disagree, tell nothing. */
export function calledOf(description: HttpDescription, endpoint: string, answer: ApiAnswer): Called {
  const { alive, dead } = description.verify
  // A page of a proxy's may be a success as well.
  const lives = answer.isJson ? firstWord(alive, answer) : undefined
  const died = firstWord(dead, answer)
  if (lives !== undefined && died === undefined) return { state: 'alive' }
  if (died !== undefined && lives === undefined) return { state: 'dead', code: died, endpoint, at: answer.date }
  const code = codeIn(description, answer)
  const said = `${description.name} answered ${answer.status}${code === String(answer.status) ? '' : ` ${code}`}`
  return {
    state: 'cannot-tell',
    why: `${said}, which its description takes for ${lives === undefined ? 'neither alive nor dead' : 'both alive and dead'}`
  }
}

function firstWord(rules: readonly HttpMatch[], answer: ApiAnswer): string | undefined {
  for (const rule of rules) {
    const word = wordOf(rule, answer)
    if (word !== undefined) return word
  }
  return undefined
}
