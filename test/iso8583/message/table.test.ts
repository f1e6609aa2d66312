/** The tables against what jPOS's packagers say, copied from them: `c` characters, dots for each digit of a length. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { base24, type Field, iso87a, type Spec } from '../../../src/iso8583/message/index.ts'

const jpos87 = `
  2:n..19 3:n6 4:n12 5:n12 6:n12 7:n10 8:n8 9:n8 10:n8 11:n6 12:n6 13:n4 14:n4 15:n4 16:n4 17:n4 18:n4
  19:n3 20:n3 21:n3 22:n3 23:n3 24:n3 25:n2 26:n2 27:n1 28:x9 29:x9 30:x9 31:x9 32:n..11 33:n..11
  34:c..28 35:n..37 36:c...104 37:c12 38:c6 39:c2 40:c3 41:c8 42:c15 43:c40 44:c..25 45:c..76
  46:c...999 47:c...999 48:c...999 49:c3 50:c3 51:c3 52:b8 53:n16 54:c...120 55:c...999 56:c...999
  57:c...999 58:c...999 59:c...999 60:c...999 61:c...999 62:c...999 63:c...999 64:b8 66:n1 67:n2 68:n3
  69:n3 70:n3 71:n4 72:n4 73:n6 74:n10 75:n10 76:n10 77:n10 78:n10 79:n10 80:n10 81:n10 82:n12 83:n12
  84:n12 85:n12 86:n16 87:n16 88:n16 89:n16 90:n42 91:c1 92:c2 93:c6 94:c7 95:c42 96:b16 97:x17 98:c25
  99:n..11 100:n..11 101:c..17 102:c..28 103:c..28 104:c...100 105:c...999 106:c...999 107:c...999
  108:c...999 109:c...999 110:c...999 111:c...999 112:c...999 113:c...999 114:c...999 115:c...999
  116:c...999 117:c...999 118:c...999 119:c...999 120:c...999 121:c...999 122:c...999 123:c...999
  124:c...999 125:c...999 126:c...999 127:c...999 128:b8
`

const jposBase24 = '41:c16 64:b16 121:c...23 122:n...14 123:c...153 124:c...12 125:c...15 127:c..99 128:n16'

/** jPOS knows no difference between kinds of characters, nor between digits and tracks. */
function inItsWords(number: string, { kind, length, max }: Field): string {
  const itsKind = { n: 'n', z: 'n', an: 'c', ans: 'c', any: 'c', x: 'x', b: 'b' }[kind]
  return `${number}:${itsKind}${{ fixed: '', ll: '..', lll: '...' }[length]}${max}`
}

function wordsOf(spec: Spec): string[] {
  return Object.entries(spec.fields).map(([number, field]) => inItsWords(number, field))
}

const words = jpos87.trim().split(/\s+/)

test('ISO87A is jPOS’s, field by field', () => {
  assert.equal(words.length, 126)
  assert.deepEqual(wordsOf(iso87a), words)
})

test('BASE24 is jPOS’s, but for a MAC in hexadecimal where it has digits, on the same 16 characters', () => {
  const differing = wordsOf(base24).filter((word) => !words.includes(word))
  assert.deepEqual([...differing, '128:n16'], jposBase24.split(' '))
})
