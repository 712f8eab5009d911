import { describe, expect, it } from 'vitest'
import type { ApiAnswer } from '../../shared/provider-api.ts'
import type { HttpPaging } from '../../shared/targets/http-description.ts'
import { everyPage } from '../../shared/targets/http-pages.ts'
import { instant } from '../../shared/types.ts'
import { refusal } from '../conformance/target-harness.ts'

/** Answers of a list by their address; what is asked for and not there is an error of the test. */
function reading(
  paging: HttpPaging | undefined,
  pages: Readonly<Record<string, unknown>>,
  links: Readonly<Record<string, string>> = {}
) {
  const asked: string[] = []
  const ask = async (path: string): Promise<ApiAnswer> => {
    asked.push(path)
    if (!(path in pages)) throw new Error(`nobody has ${path}`)
    return {
      status: 200,
      json: pages[path],
      isJson: true,
      text: '',
      date: instant(asked.length),
      header: (name) => (name === 'link' ? links[path] : undefined)
    }
  }
  return { asked, read: (path = '/k?limit=2') => everyPage({ name: 'acme', path, items: 'data', paging }, ask) }
}

const endless = (more: (page: number) => object) => (paging: HttpPaging) => {
  let page = 0
  const ask = async (): Promise<ApiAnswer> => {
    page += 1
    return {
      status: 200,
      json: { data: [page], ...more(page) },
      isJson: true,
      text: '',
      date: instant(0),
      header: () => `</k?n=${page}>; rel="next"`
    }
  }
  return everyPage({ name: 'acme', path: '/k', items: 'data', paging }, ask)
}

describe('a list in one answer', () => {
  it('is read once', async () => {
    const { read, asked } = reading(undefined, { '/k?limit=2': { data: [1, 2], next: 'x' } })
    expect(await read()).toMatchObject({ items: [1, 2], last: { date: 1 } })
    expect(asked).toHaveLength(1)
  })

  it.each([{}, { data: {} }, { data: null }, [], 'none', undefined])(
    'that is no list, %j, is refused by its path',
    async (json) => {
      const { read } = reading(undefined, { '/k?limit=2': json })
      expect(await refusal(read())).toMatchObject({ code: 'invalid/answer', message: expect.stringContaining('data') })
    }
  )
})

describe('a list by cursor', () => {
  const paging = { by: 'cursor', parameter: 'page[after]', next: 'meta.next' } as const

  it.each([null, ''])('is read until there is none (%j)', async (end) => {
    const { read } = reading(paging, {
      '/k?limit=2': { data: [1], meta: { next: 'a/b=' } },
      '/k?limit=2&page%5Bafter%5D=a%2Fb%3D': { data: [2], meta: { next: 7 } },
      '/k?limit=2&page%5Bafter%5D=7': { data: [], meta: { next: end } }
    })
    expect(await read()).toMatchObject({ items: [1, 2], last: { date: 3 } })
  })

  it('ends where the cursor is absent only if it may be', async () => {
    const pages = { '/k?limit=2': { data: [1] } }
    expect((await refusal(reading(paging, pages).read())).message).toContain('meta.next')
    expect((await reading({ ...paging, next: 'meta.next?' }, pages).read()).items).toEqual([1])
  })

  it('ends where there is no more, whatever the cursor says, and must go on where there is', async () => {
    const more = { ...paging, next: 'last', more: 'has_more' }
    const second = '/k?limit=2&page%5Bafter%5D=a'
    const pages = { '/k?limit=2': { data: [1], last: 'a', has_more: true }, [second]: { data: [2], last: 'b', has_more: false } }
    expect((await reading(more, pages).read()).items).toEqual([1, 2])
    const wrong = [
      { data: [2], last: null, has_more: true },
      { data: [2], last: 'b' },
      { data: [2], last: 'b', has_more: 'no' }
    ]
    for (const page of wrong)
      expect((await refusal(reading(more, { ...pages, [second]: page }).read())).code).toBe('invalid/answer')
    expect((await reading({ ...more, more: 'has_more?' }, { ...pages, [second]: { data: [2] } }).read()).items).toEqual([1, 2])
  })
})

describe('a list by number', () => {
  const paging = { by: 'page', parameter: 'page', first: 1 } as const
  const pages = {
    '/k?page=1': { data: [1, 2], total: 3, pages: 2 },
    '/k?page=2': { data: [3], total: 3, pages: 2 },
    '/k?page=3': { data: [], total: 3, pages: 2 }
  }

  it('is read up to the count of keys or of pages, else to the first empty page', async () => {
    const [byItems, byPages, toTheEnd] = [{ total: 'total' }, { pages: 'pages' }, {}].map((more) =>
      reading({ ...paging, ...more }, pages)
    )
    for (const one of [byItems, byPages, toTheEnd]) expect((await one?.read('/k'))?.items).toEqual([1, 2, 3])
    expect([byItems, byPages, toTheEnd].map((one) => one?.asked.length)).toEqual([2, 2, 3])
  })

  it('that ends before its own count, or does not count, is refused', async () => {
    const short = { ...pages, '/k?page=2': { data: [], total: 3 } }
    expect((await refusal(reading({ ...paging, total: 'total' }, short).read('/k'))).message).toContain('2 of 3')
    expect((await refusal(reading({ ...paging, total: 'sum' }, pages).read('/k'))).message).toContain('sum')
  })
})

describe('a list by link', () => {
  it('is read from the body, whole or from the root', async () => {
    const { read } = reading(
      { by: 'link', next: 'next_page_uri?' },
      {
        '/k?limit=2': { data: [1], next_page_uri: '/k?p=2' },
        '/k?p=2': { data: [2], next_page_uri: 'https://api.acme.example/k?p=3' },
        'https://api.acme.example/k?p=3': { data: [3] }
      }
    )
    expect((await read()).items).toEqual([1, 2, 3])
  })

  it('is read from the header, the next one among others', async () => {
    const pages = { '/k?limit=2': { data: [1] }, 'https://api.acme.example/k?p=2': { data: [2] }, '/k?p=3': { data: [3] } }
    const links = {
      '/k?limit=2': '<https://api.acme.example/k?p=9>; rel="last", <https://api.acme.example/k?p=2>; rel="next"',
      'https://api.acme.example/k?p=2': '</k?p=1>; rel="prev", </k?p=3>; title="x"; rel=next',
      '/k?p=3': '</k?p=1>; rel="prev"'
    }
    expect((await reading({ by: 'link-header' }, pages, links).read()).items).toEqual([1, 2, 3])
  })

  it.each([
    'http://api.acme.example/k',
    '//evil.example/k',
    '/\\evil.example',
    'k?p=2',
    'ftp://x/',
    'https://a\\b/',
    'javascript:1'
  ])('does not follow %s', async (next) => {
    const { read, asked } = reading({ by: 'link', next: 'next' }, { '/k?limit=2': { data: [1], next } })
    expect((await refusal(read())).code).toBe('invalid/answer')
    expect(asked).toHaveLength(1)
  })
})

describe('a list without an end', () => {
  const kinds: readonly (readonly [string, HttpPaging])[] = [
    ['by cursor', { by: 'cursor', parameter: 'after', next: 'next' }],
    ['by number', { by: 'page', parameter: 'page', first: 0 }],
    ['by link', { by: 'link', next: 'link' }],
    ['by header', { by: 'link-header' }]
  ]

  it.each(kinds)('%s is refused at its bound, not cut', async (_, paging) => {
    const forEver = endless((page) => ({ next: `c${page}`, link: `/k?n=${page}` }))
    expect((await refusal(forEver(paging))).message).toContain('50 pages')
    expect(await refusal(forEver({ ...paging, mostPages: 3 }))).toMatchObject({
      code: 'invalid/answer',
      message: expect.stringContaining('3 pages')
    })
  })

  it('that comes back to a page it had is refused at once', async () => {
    const again = endless(() => ({ next: 'same' }))
    expect((await refusal(again({ by: 'cursor', parameter: 'after', next: 'next' }))).message).toContain('2 pages')
  })
})
