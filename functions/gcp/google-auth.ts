import { once } from '../../shared/once.ts'

type GoogleAuth = typeof import('google-auth-library')

/** Options for what is sent by a client of the library's. */
export const FETCH = { fetchImplementation: fetch }

/**
 * google-auth-library, read when it is first needed: 14 ms that no cold start has to wait for which takes no event. It sends
 * by node's own fetch, which the store uses too: its default is node-fetch, 10 ms more.
 */
export const googleAuth = once(async (): Promise<GoogleAuth> => {
  // A bundle of a CommonJS package has the default export alone.
  const { default: library } = await import('google-auth-library')
  // What the library itself has for the metadata server cannot be given any other.
  library.gaxios.instance.defaults = FETCH
  return library
})
