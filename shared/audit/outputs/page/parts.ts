import { all } from './elements.ts'

/** Marks the part that is on the screen in the list of parts. */
export function watchParts(): void {
  const links = new Map(all<HTMLAnchorElement>('nav a').map((link) => [link.hash.slice(1), link]))
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue
        for (const link of links.values()) link.ariaCurrent = null
        const link = links.get(target.id)
        if (link) link.ariaCurrent = 'true'
      }
    },
    // A line a quarter down the window: a part is current when it crosses it.
    { rootMargin: '-25% 0px -75% 0px' }
  )
  for (const part of all('section.part')) watcher.observe(part)
}
