/** The BASE24 variant of ISO87A: longer terminal names and MAC, other private fields. jPOS calls it BASE24Packager. */
import { iso87a } from './iso87a.ts'
import { type Fields, fixed, ll, lll, type Spec } from './spec.ts'

const fields: Fields = {
  ...iso87a.fields,
  41: fixed('ans', 16, 'terminal'),
  64: fixed('b', 16, 'message authentication code', 'wipe'),
  121: lll('any', 23, 'authorization indicators', 'wipe'),
  122: lll('n', 14, 'card issuer', 'wipe'),
  123: lll('any', 153, 'cryptographic service message, or PIN block of format 4', 'wipe'),
  124: lll('any', 12, 'deposit type, or batch and shift data', 'wipe'),
  125: lll('any', 15, 'account indicator, or settlement data', 'wipe'),
  126: lll('any', 999, 'additional data', 'wipe'),
  127: ll('any', 99, 'user data', 'wipe'),
}

export const base24: Spec = { name: 'base24', fields }
