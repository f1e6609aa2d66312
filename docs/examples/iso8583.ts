/** A 0800 sign-on is packed, and its answer read: node iso8583.ts. */
import { describe, isMalformed, iso87a, pack, parse } from 'cashpoint/iso8583'

const signOn = pack({ mti: '0800', fields: { 7: '1123010000', 11: '1', 41: 'ATM00001', 70: '001' } }, iso87a)
if (isMalformed(signOn)) throw new Error(signOn.text)
console.log(signOn.toString('latin1'))

const answer = parse(Buffer.from('081082200000028000000400000000000000112301000000000100ATM00001001'), iso87a)
console.log(isMalformed(answer) ? answer.text : `answered ${answer.fields[39]}`)
console.log(describe(answer, iso87a))

const cut = parse(signOn.subarray(0, 40), iso87a)
if (isMalformed(cut)) console.log(`${cut.problem} in ${cut.field}: ${cut.text}`)
