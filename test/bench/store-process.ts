import { startSecretsManager } from '../doubles/secrets-manager.ts'

/** The double in a process of its own, so that it answers at once whatever the process that measures is doing. */
const double = await startSecretsManager()
process.send?.(double.url)
process.once('disconnect', () => process.exit())
