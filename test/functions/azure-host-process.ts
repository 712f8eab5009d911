import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Described, Rpc, ToHost, ToWorker } from './azure-host.ts'

// A worker of Azure Functions without its gRPC: it answers `require('@azure/functions-core')` as the genuine one does
// (azure-functions-nodejs-worker, src/setupCoreModule.ts), loads the bundle, and drives the programming model that the bundle
// has brought along: bindings, conversions and handlers are those of the genuine @azure/functions.

interface Invoked {
  readonly getArguments: () => Promise<{ readonly context: unknown; readonly inputs: unknown[] }>
  readonly invokeFunction: (context: unknown, inputs: unknown[], handler: unknown) => Promise<unknown>
  readonly getResponse: (context: unknown, result: unknown) => Promise<{ readonly returnValue?: Rpc | null }>
}

interface Model {
  readonly getCapabilities: (own: object) => Promise<Readonly<Record<string, string>>>
  readonly getInvocationModel: (call: object) => Invoked
}

const registered = new Map<string, { readonly metadata: Described; readonly handler: unknown }>()
let model: Model | undefined
let isLoaded = false

class Disposable {
  dispose(): void {}
}

const send = (message: ToHost): void => void process.send?.(message)

const core = {
  Disposable,
  log: (level: string, category: string, message: string) => send({ kind: 'log', line: { level, category, message } }),
  setProgrammingModel: (given: Model) => {
    model = given
  },
  registerHook: () => new Disposable(),
  registerFunction: (metadata: Described, handler: unknown) => {
    if (isLoaded) throw new Error('A function can only be registered during app startup.')
    registered.set(metadata.name, { metadata, handler })
    return new Disposable()
  }
}

const require = createRequire(import.meta.url)
type Load = (this: unknown, name: string) => unknown
const { prototype } = require('node:module') as { readonly prototype: { require: Load } }
const genuine = prototype.require
prototype.require = function (name) {
  return name === '@azure/functions-core' ? core : genuine.call(this, name)
}

async function invoke({ id, name, data, metadata }: ToWorker): Promise<void> {
  const found = registered.get(name)
  if (!found || !model) throw new Error(`no function ${name}`)
  const bindings = Object.entries(found.metadata.bindings)
  const [trigger = ''] = bindings.find(([, { type }]) => type.endsWith('Trigger')) ?? []
  const call = model.getInvocationModel({
    invocationId: id,
    metadata: found.metadata,
    request: { invocationId: id, functionId: name, inputData: [{ name: trigger, data }], triggerMetadata: metadata },
    state: undefined,
    log: core.log
  })
  try {
    const { context, inputs } = await call.getArguments()
    const result = await call.invokeFunction(context, inputs, found.handler)
    const { returnValue } = await call.getResponse(context, result)
    send({ kind: 'answer', id, returned: returnValue ?? undefined })
  } catch (e) {
    // src/setupEventStream.ts: what the host hears of an error is its message and its stack.
    const { message, stack = '' } = e instanceof Error ? e : new Error(String(e))
    send({ kind: 'answer', id, exception: { message, stackTrace: stack } })
  }
}

process.on('message', (message: ToWorker) => void invoke(message))
// Like the worker, which goes on without an entry that throws: what it registered until then is all that there is.
try {
  require(join(process.argv[2] ?? '', 'index.cjs'))
} catch (e) {
  console.error(e)
}
isLoaded = true
const capabilities = (await model?.getCapabilities({})) ?? {}
send({ kind: 'loaded', functions: [...registered.values()].map(({ metadata }) => metadata), capabilities })
