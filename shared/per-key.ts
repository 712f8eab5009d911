/** Made once for each key, by whoever asks first, as a client of a bucket. */
export function perKey<T>(make: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>()
  return (key) => {
    const one = known.get(key) ?? make(key)
    known.set(key, one)
    return one
  }
}
