/** `cashpoint/iso8583`: ISO 8583 messages of 1987 from bytes and to bytes. Knows no line, no bank and no key. */
export { base24 } from './base24.ts'
export { describe } from './describe.ts'
export { iso87a } from './iso87a.ts'
export { mask } from './mask.ts'
export { type Draft, isMalformed, type Malformed, type Message, type Problem } from './message.ts'
export { pack } from './pack.ts'
export { parse } from './parse.ts'
export {
  type Field,
  type Fields,
  fixed,
  type Kind,
  type Length,
  ll,
  lll,
  type Mask,
  type Spec,
} from './spec.ts'
