/** A fault hook by which the first call that is meant waits; whoever holds it up lets it go. */
export interface HeldUp<Call> {
  readonly arrived: Promise<void>
  readonly go: () => void
  readonly fault: (call: Call) => Promise<undefined>
}

export function heldUp<Call>(isMeant: (call: Call) => boolean): HeldUp<Call> {
  const { promise: arrived, resolve: arrive } = withResolvers()
  const { promise: gate, resolve: go } = withResolvers()
  let isFirst = true
  const fault = async (call: Call): Promise<undefined> => {
    if (!isFirst || !isMeant(call)) return
    isFirst = false
    arrive()
    await gate
  }
  return { arrived, go, fault }
}

/** Promise.withResolvers, which Node 20 does not have. */
function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
