/** `cashpoint describe`: a message however it is given, and what it says of what is none. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { golden } from '../iso8583/message/samples.ts'
import { assertOneLine, run } from '../process/support.ts'

const signOn = `0800  1987, network management request
   7  transmission date and time  1123010000
  11  system trace audit number   000001
  41  terminal                    ATM00001
  70  network management code     001
`
const hex = Buffer.from(golden.signOn).toString('hex')

describe('a message, however it is given', { concurrency: 2 }, () => {
  const ways: Readonly<Record<string, { args?: string[]; input?: string }>> = {
    hexadecimal: { args: [hex] },
    'with a length of four digits': { args: [`30303633${hex}`] },
    'with a length of two bytes, in lines, from standard input': {
      input: `003f\n${hex.replace(/.{32}/g, '$& \n')}\n`,
    },
    'as characters, with a length': { input: `0063${golden.signOn}\n` },
  }
  for (const [way, { args = [], input = '' }] of Object.entries(ways))
    test(way, async () => {
      assert.deepEqual(await run(['describe', ...args], {}, input), { code: 0, stdout: signOn, stderr: '' })
    })
})

test('it shows no card number', async () => {
  const { code, stdout } = await run(['describe'], {}, golden.balance)
  assert.equal(code, 0)
  assert.match(stdout, /\*{12}0119\n/)
  assert.doesNotMatch(stdout, /47617390|85563E517DCF122E/)
})

test('one that is malformed is exit 1; none, or a table that is not there, exit 2', async () => {
  const cut = await run(['describe', hex.slice(0, 80)])
  assert.equal(cut.code, 1)
  assert.match(
    cut.stdout,
    /^0800 .*\n.*field 7 \(transmission date and time\), offset 36: the message ends inside it\n$/,
  )
  assertOneLine(await run(['describe']), 2, /there is no message/)
  assertOneLine(
    await run(['describe', '--spec', 'constructor', hex]),
    2,
    /--spec must be one of iso87a, base24/,
  )
  assertOneLine(await run(['describe', hex, hex]), 2, /give one message/)
})
