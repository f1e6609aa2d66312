// A process of its own that attacks a server in one way, until its parent ends it: `attacker.ts PORT WAY COUNT`.
// It tells its parent how many connections it opened, how many were closed on it, and the statuses it was answered.

import { connect, type Socket } from 'node:net'

const [port = '', way = '', count = ''] = process.argv.slice(2)
const told = { opened: 0, closed: 0, statuses: {} as Record<string, number> }
const dripMs = 400

const post = (path: string, length: number) =>
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`
const list = 'GET /accounts HTTP/1.1\r\nhost: localhost\r\n\r\n'
const deep = `{"operations":${'['.repeat(100_000)}${']'.repeat(100_000)}}`

/** What each way does with a connection; what is closed is opened again. */
const ways: Record<string, (socket: Socket) => void> = {
  idle() {},
  'slow headers': (socket) => drip(socket, 'POST /accounts/slow/deposit HTTP/1.1\r\nhost: localhost\r\nx: '),
  'slow bodies': (socket) => drip(socket, post('/accounts/slow/deposit', 10_000)),
  'lists that nobody reads': (socket) => void socket.pause().write(list.repeat(5)),
  'events that nobody reads': (socket) =>
    void socket
      .pause()
      .write(
        list.replace('/accounts', '/v1/events').replace('\r\n\r', '\r\naccept: text/event-stream\r\n\r'),
      ),
  resets(socket) {
    socket.write(`${post('/accounts/987654321/deposit', 12)}{"amount":1}`)
    setTimeout(() => socket.resetAndDestroy(), 5)
  },
  garbage: (socket) => void socket.write('GARBAGE\r\n\r\n'),
  'deep bodies': (socket) => void socket.write(post('/v1/batches', deep.length) + deep),
}

function drip(socket: Socket, first: string): void {
  socket.write(first)
  const timer = setInterval(() => socket.write('1'), dripMs)
  socket.once('close', () => clearInterval(timer))
}

function attack(): void {
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('error', () => {})
  socket.once('connect', () => {
    told.opened += 1
    ways[way]?.(socket)
  })
  if (!way.includes('nobody reads'))
    socket.on('data', (data) => {
      for (const [, status = ''] of data.toString('latin1').matchAll(/HTTP\/1\.1 ([0-9]{3}) /g))
        told.statuses[status] = (told.statuses[status] ?? 0) + 1
      if (way === 'deep bodies') socket.destroy()
    })
  socket.once('close', () => {
    told.closed += 1
    setTimeout(attack, 20)
  })
}

for (let i = 0; i < Number(count); i += 1) attack()
setInterval(() => process.send?.(told), 100)
process.on('disconnect', () => process.exit(0))
