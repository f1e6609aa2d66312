/** `cashpoint verify`: proves the books from the journal, of a store that is stopped or running. Exit 1 if it cannot. */
import type { BlockRange } from '../bank/store.ts'
import { formatMinor } from '../ledger/money.ts'
import { faultText } from '../ledger/verify.ts'
import { readSettings, SettingError } from './settings.ts'

export async function verify(args: readonly string[]): Promise<void> {
  if (args.includes('--help'))
    return console.log('usage: cashpoint verify [--store STORE] [--from BLOCK] [--to BLOCK]')
  // Where the server would listen does not matter to its books.
  const { range, others } = rangeOf(args)
  const { storePath, databaseUrl } = readSettings(others, { ...process.env, HOST: 'localhost' })
  if (storePath === undefined && databaseUrl === undefined)
    throw new SettingError('a temporary store goes with its server: there is nothing to verify')

  const found =
    databaseUrl === undefined
      ? (await import('../stores/sqlite/prove.ts')).prove(storePath ?? '', range)
      : await (await import('../stores/postgres/prove.ts')).proveDatabase({ url: databaseUrl }, range)
  if ('what' in found) {
    console.error(`cashpoint: the books do not prove: ${faultText(found)}`)
    process.exitCode = 1
    return
  }
  if (!('blocks' in found)) {
    const { from, to, records, head } = found
    return console.log(`The chain proves: blocks ${from} to ${to}, ${records} records.\n  head ${head}`)
  }
  const { blocks, records, accounts, head, sums } = found
  console.log(`The books prove: ${records} records in ${blocks} blocks, ${accounts} accounts.`)
  for (const { currency, customers, terminals, house } of sums) {
    const say = (side: string, sum: bigint) => `${side} ${formatMinor(sum, currency)}`
    const sides = [
      say('customers', customers),
      ...(terminals === 0n ? [] : [say('terminals', terminals)]),
      say('house', house),
    ]
    console.log(`  ${currency}  ${sides.join(' + ')} = 0`)
  }
  console.log(`  head ${head}`)
}

/** Takes `--from` and `--to` out of the arguments: what is left is settings. */
function rangeOf(args: readonly string[]): { range: BlockRange; others: string[] } {
  const range: { from?: number; to?: number } = {}
  const others: string[] = []
  for (let i = 0; i < args.length; i += 1) {
    const name = /^--(from|to)$/.exec(args[i] ?? '')?.[1] as 'from' | 'to' | undefined
    if (name === undefined) {
      others.push(args[i] ?? '')
      continue
    }
    i += 1
    const text = args[i] ?? ''
    if (!/^[1-9][0-9]{0,14}$/.test(text)) throw new SettingError(`--${name} must be the number of a block`)
    range[name] = Number(text)
  }
  return { range, others }
}
