export const byId = (id: string): HTMLElement | null => document.getElementById(id)

export const all = <E extends Element = HTMLElement>(selector: string, within: ParentNode = document): readonly E[] => [
  ...within.querySelectorAll<E>(selector)
]

/** `12 of 40 findings`, in the element that a screen reader announces. */
export function tally(list: string, shown: number, total: number): void {
  const output = document.querySelector<HTMLElement>(`output[data-tally="${list}"]`)
  if (!output) return
  const noun = output.dataset.noun ?? ''
  const words = total === 1 ? noun : `${noun}s`
  output.textContent = shown === total ? `${total} ${words}` : `${shown} of ${total} ${words}`
}

const texts = new WeakMap<Element, string>()

/** All words of what is looked for, in any order. Texts do not change: they are read once. */
export function hasWords(element: Element, words: readonly string[]): boolean {
  const text = texts.get(element) ?? (element.textContent ?? '').toLowerCase()
  texts.set(element, text)
  return words.every((word) => text.includes(word))
}

export const wordsOf = (text: string): readonly string[] => text.toLowerCase().split(/\s+/).filter(Boolean)
