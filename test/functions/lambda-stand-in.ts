import { pathToFileURL } from 'node:url'

/**
 * A stand-in for the genuine Lambda runtime, where that is not installed: it asks the same Runtime API and calls the same
 * bundle, one event after the other. Started with the environment that Lambda gives.
 */
const { AWS_LAMBDA_RUNTIME_API: api, LAMBDA_TASK_ROOT: root, _HANDLER: name = '' } = process.env
const [file, exported = ''] = name.split('.')
const invocation = `http://${api}/2018-06-01/runtime/invocation`

type Handler = (event: unknown, context: object) => Promise<unknown>
const loaded = (await import(pathToFileURL(`${root}/${file}.mjs`).href)) as Record<string, Handler>
const handler = loaded[exported]
if (!handler) throw new Error(`${file}.mjs exports no ${exported}`)

for (;;) {
  const next = await fetch(`${invocation}/next`)
  const header = (key: string) => next.headers.get(`lambda-runtime-${key}`) ?? ''
  const id = header('aws-request-id')
  const context = {
    awsRequestId: id,
    invokedFunctionArn: header('invoked-function-arn'),
    getRemainingTimeInMillis: () => Number(header('deadline-ms')) - Date.now()
  }
  const post = (end: string, body: unknown) => fetch(`${invocation}/${id}/${end}`, { method: 'POST', body: JSON.stringify(body) })
  try {
    await post('response', (await handler(await next.json(), context)) ?? null)
  } catch (e) {
    const { name: errorType, message: errorMessage, stack } = e instanceof Error ? e : new Error(String(e))
    // As the genuine one does: what a function throws is in its log, stack and all.
    console.error(JSON.stringify({ errorType, errorMessage, stack }))
    await post('error', { errorType, errorMessage })
  }
}
