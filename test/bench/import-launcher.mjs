/** Imports a bundle and says so on descriptor 3: what a cold start costs before the first event. `import-launcher.mjs <file>` */
const [, , file] = process.argv
const { writeSync } = process.getBuiltinModule('node:fs')
// What the Azure Functions host answers itself (@azure/functions/src/utils/tryGetCoreApiLazy.ts), as little as it may be.
const nothing = () => {}
const core = { setProgrammingModel: nothing, registerFunction: nothing, registerHook: () => ({ dispose: nothing }), log: nothing }
const modules = process.getBuiltinModule('node:module')
const load = modules._load
modules._load = (name, ...rest) => (name === '@azure/functions-core' ? core : load(name, ...rest))
await import(file)
writeSync(3, 'imported')
process.exit()
