import { recordOf } from './cloudtrail-records.ts'
import { logOf, readAll } from './logs.ts'

/** One process of long-record.test.ts: reads a log with one long record in it, and tells its parent what came of it. */

const [, , layout = 'lines', mebibytes = '1'] = process.argv
const [open, between, close] = layout === 'lines' ? ['', '\n', '\n'] : ['{"Records":[', ',', ']}']
const [before, after] = JSON.stringify(recordOf({ long: '|' }, 2)).split('|')

async function* content(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${open}${JSON.stringify(recordOf({}, 1))}${between}${before}`)
  const part = Buffer.alloc(2 ** 18, 'x')
  for (let n = 0; n < Number(mebibytes) * 4; n++) yield part
  yield Buffer.from(`${after}${between}${JSON.stringify(recordOf({}, 3))}${close}`)
}

const { ids, damage } = await readAll([logOf('', 1, { open: content })])
process.send?.({ ids, damage, peakMiB: process.resourceUsage().maxRSS / 1_024 })
