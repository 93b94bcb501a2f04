// Node Socket.IO in one process with its own memory, a room for each user. Nothing is kept.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { Server } from 'socket.io';

const PRODUCERS = 8;
const TICK = 1;
const YIELD = 8;
const users = [];
const numbers = new Map();
const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false, pingInterval: 60000 });

io.on('connection', (socket) => {
  const { user } = socket.handshake.auth;
  socket.join(user);
  users.push(user);
});

function tell(user, padding) {
  const seq = (numbers.get(user) ?? 0) + 1;
  numbers.set(user, seq);
  const text = `at=${process.hrtime.bigint().toString().padStart(19, '0')}${padding}`;
  io.to(user).emit('event', { v: 1, seq, type: 'agent_thinking', data: { text, step: seq } });
}

function tellAll(share, rate, events, padding) {
  const start = performance.now();
  let told = 0;
  function turn() {
    const due = rate <= 0 ? told + YIELD : Math.floor(((performance.now() - start) / 1000) * rate) + 1;
    for (; told < Math.min(due, events); told += 1) tell(share[told % share.length], padding);
    if (told >= events) return;
    if (rate <= 0) setImmediate(turn);
    else setTimeout(turn, Math.max(TICK, start + (told / rate) * 1000 - performance.now()));
  }
  turn();
}

function play({ rate, each, bytes }) {
  const padding = 'x'.repeat(Math.max(0, bytes - 104));
  const all = [...users].sort();
  for (let first = 0; first < Math.min(PRODUCERS, all.length); first += 1) {
    const share = all.filter((_, place) => place % PRODUCERS === first);
    tellAll(share, (rate * share.length) / all.length, each * share.length, padding);
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const words = JSON.parse(line);
  if (words.do === 'play') play(words);
  console.log(JSON.stringify({ members: users.length }));
});

process.on('SIGTERM', () => process.exit(0));
http.listen(0, '127.0.0.1', () => console.log(`The peer is listening on http://127.0.0.1:${http.address().port}`));
