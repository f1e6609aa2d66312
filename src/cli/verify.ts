/** `cashpoint verify`: proves the books from the journal, of a store that is stopped or running. Exit 1 if it cannot. */
import { formatMinor } from '../ledger/money.ts'
import { prove } from '../stores/sqlite/prove.ts'
import { readSettings, SettingError } from './settings.ts'

export async function verify(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log('usage: cashpoint verify [--store sqlite:PATH]')
  // Where the server would listen does not matter to its books.
  const { storePath } = readSettings(args, { ...process.env, HOST: 'localhost' })
  if (storePath === undefined)
    throw new SettingError('a temporary store goes with its server: there is nothing to verify')

  const found = prove(storePath)
  if ('what' in found) {
    const where =
      found.record === undefined ? `block ${found.block}` : `block ${found.block}, record ${found.record}`
    console.error(`cashpoint: the books do not prove: ${where} ${found.what}`)
    process.exitCode = 1
    return
  }
  const { blocks, records, accounts, head, sums } = found
  console.log(`The books prove: ${records} records in ${blocks} blocks, ${accounts} accounts.`)
  for (const { currency, customers, house } of sums)
    console.log(
      `  ${currency}  customers ${formatMinor(customers, currency)} + house ${formatMinor(house, currency)} = 0`,
    )
  console.log(`  head ${head}`)
}
