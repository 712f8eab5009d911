/**
 * Loaded into Azurite before anything else (node --import): its clock goes as far ahead as the tests' process says, so that
 * leases end and messages appear again without anybody waiting for them. Azurite takes the time of every request and of every
 * lease from Date.
 */
let aheadMs = 0
const RealDate = Date

globalThis.Date = class extends RealDate {
  constructor(...parts: [] | ConstructorParameters<typeof Date>) {
    if (parts.length === 0) super(RealDate.now() + aheadMs)
    else super(...parts)
  }
  static override now(): number {
    return RealDate.now() + aheadMs
  }
} as DateConstructor

process.on('message', (message: { aheadMs: number }) => {
  aheadMs = message.aheadMs
  process.send?.(message)
})
process.on('disconnect', () => process.exit())
