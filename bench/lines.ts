/** A client of ISO 8583: as many requests in flight on each of its sockets as it was told, each answered with yes. */
import assert from 'node:assert'
import { once } from 'node:events'
import { connect } from 'node:net'
import { isMalformed, iso87a, type Message, pack, parse } from '../src/iso8583/message/index.ts'
import type { ServerProcess } from './children.ts'

export type Fields = Message['fields']

type Lines = { readonly lines: number; readonly inFlight: number; readonly seconds: number }

/** How many 0200s a second are answered on so many lines. Throws where one is not a yes. */
export async function rateOfLines(
  { line }: ServerProcess,
  { lines, inFlight, seconds }: Lines,
  nextRequest: () => Fields,
): Promise<number> {
  assert(line !== undefined, 'the server listens for ISO 8583')
  const startedMs = performance.now()
  const isOver = () => performance.now() - startedMs >= seconds * 1000
  const done = await Promise.all(
    Array.from({ length: lines }, () => runLine(line, inFlight, nextRequest, isOver)),
  )
  return done.reduce((sum, each) => sum + each, 0) / ((performance.now() - startedMs) / 1000)
}

async function runLine(
  line: string,
  inFlight: number,
  nextRequest: () => Fields,
  isOver: () => boolean,
): Promise<number> {
  const { hostname, port } = new URL(`tcp://${line}`)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  await once(socket, 'connect')
  let sent = 0
  let answered = 0
  let rest = Buffer.alloc(0)
  const fill = () => {
    const frames: Buffer[] = []
    for (; !isOver() && sent - answered < inFlight; sent += 1) frames.push(framed(nextRequest()))
    if (frames.length > 0) socket.write(Buffer.concat(frames))
    else if (sent === answered) socket.end()
  }
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const end = 4 + Number(rest.toString('latin1', 0, 4))
      if (rest.length < 4 || rest.length < end) break
      const answer = parse(rest.subarray(4, end), iso87a)
      assert(!isMalformed(answer) && answer.fields[39] === '00', 'a 0200 is answered with yes')
      rest = rest.subarray(end)
      answered += 1
    }
    fill()
  })
  fill()
  await once(socket, 'close')
  assert.equal(answered, sent, 'each is answered')
  return answered
}

function framed(fields: Fields): Buffer {
  const packed = pack({ mti: '0200', fields }, iso87a)
  assert(!isMalformed(packed), isMalformed(packed) ? packed.text : '')
  return Buffer.concat([Buffer.from(String(packed.length).padStart(4, '0')), packed])
}
