/**
 * The MAC of a message: eight bytes in its last field, over all bytes before that field. The field is 64, or 128 where
 * there are fields above 64. A terminal says which keys it has; what they are only the vault knows.
 */
import type { Terminal, TerminalId, WrappedKey } from '../ledger/terminal.ts'
import type { Vault } from '../vault/vault.ts'
import { type Desk, submit } from './desk.ts'
import { isMalformed, type Message, pack, type Spec } from './message/index.ts'

/** A message, and the bytes that it was read from. */
export type Received = { readonly message: Message; readonly bytes: Uint8Array }

/** Hexadecimal digits of eight bytes. A field that is longer has zeros behind them. */
const macDigits = 16

/**
 * The key under which the MAC of a terminal's message is right; undefined where there is no right one. Under the newest
 * it is the end of the key before.
 */
export async function authenticate(
  desk: Desk,
  received: Received,
  { id: terminal, mac_keys: keys = [] }: Terminal,
): Promise<WrappedKey | undefined> {
  const { over, mac } = macIn(received)
  const at = desk.vault?.keyOfMac(over, mac, { terminal, keys })
  const key = at === undefined ? undefined : keys[at]
  if (key !== undefined && at === 0 && keys.length > 1)
    await submit(desk, { type: 'retire_mac_key', terminal, wrapped: key.wrapped })
  return key
}

/** The MAC that a message has, and what it must be over; of one without, an empty one. */
function macIn({ message: { fields }, bytes }: Received): { over: Uint8Array; mac: Buffer } {
  const last = Number(Object.keys(fields).at(-1))
  const text = last === 64 || last === 128 ? (fields[last] ?? '') : ''
  const digits = /^0*$/.test(text.slice(macDigits)) ? text.slice(0, macDigits) : ''
  return { over: bytes.subarray(0, bytes.length - text.length), mac: Buffer.from(digits, 'hex') }
}

export type Seal = { readonly spec: Spec; readonly terminal: TerminalId; readonly key: WrappedKey }

/** The message with its MAC; as it is where the key does not open, or the table cannot say it. */
export function sealed(vault: Vault | undefined, message: Message, { spec, terminal, key }: Seal): Message {
  const number = Object.keys(message.fields).some((each) => Number(each) > 64) ? 128 : 64
  const length = 2 * (spec.fields[number]?.max ?? 0)
  const withField = (text: string): Message => ({
    mti: message.mti,
    fields: { ...message.fields, [number]: text.padEnd(length, '0') },
  })
  const packed = pack(withField(''), spec)
  if (isMalformed(packed)) return message
  const mac = vault?.mac(packed.subarray(0, packed.length - length), terminal, key)
  return mac === undefined ? message : withField(mac.toString('hex').toUpperCase())
}
