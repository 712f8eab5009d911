/**
 * Loads a handler and calls it, the same way for every handler that is compared: `launcher.mjs <handler>` takes events as
 * messages of the parent; `launcher.mjs <handler> <event>` answers one on descriptor 3 and ends.
 */
const [, , file, first] = process.argv
const { handler } = await import(file)

const context = () => {
  const ends = Date.now() + 60_000
  return { awsRequestId: '6f2a1c7e-1d1e-4f0a-9a55-3a1d0b9f7c11', getRemainingTimeInMillis: () => ends - Date.now() }
}

const answer = async (event) => {
  try {
    return { answer: await handler(event, context()) }
  } catch (e) {
    return { error: { errorType: e.name, errorMessage: e.message } }
  }
}

if (first !== undefined) {
  const outcome = await answer(JSON.parse(first))
  process.getBuiltinModule('node:fs').writeSync(3, JSON.stringify(outcome))
  process.exit()
}
process.on('message', async (event) => {
  const outcome = await answer(event)
  process.send({ ...outcome, rssBytes: process.resourceUsage().maxRSS * 1024 })
})
process.send('loaded')
