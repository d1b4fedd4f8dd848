// What a held request costs, measured on the process from outside.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { use } from './lib/house.mjs';
import { until } from './lib/proxy.mjs';

const held = 2000;

test(`${held} held requests cost at most 16 kB each beyond their bodies, and are answered when the proxy ends`, { timeout: 120_000 }, async (t) => {
  const { proxy, passed } = await use(t);
  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${proxy.child.pid}/status`, 'utf8'))[1]) * 1024;
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { message: 'x' } } });
  const text = `POST /files HTTP/1.1\r\nHost: 127.0.0.1:${proxy.port}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n` +
    `User-Agent: a client that waits\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const answers = [];
  const hold = () => new Promise((resolve, reject) => {
    const socket = connect(proxy.port, '127.0.0.1', () => { socket.write(text); resolve(socket); }).on('error', reject);
    let got = '';
    socket.on('data', (data) => (got += data)).on('close', () => answers.push(got));
  });
  const waiting = async (count) => until(async () => Number(/mcp_reauth_waiting_requests (\d+)/.exec(await proxy.metrics())?.[1]) === count, { what: `${count} held requests`, ms: 60_000 });
  for (let i = 0; i < 50; i++) await hold(); // whatever the first ones bring with them
  await waiting(50);
  const before = rss();
  for (let i = 50; i < 50 + held; i++) {
    await hold();
    if (i % 50 === 49) await waiting(i + 1); // what many requests cost on their way, all at once, is another figure
  }
  const each = (rss() - before) / held;
  t.diagnostic(`${Math.round(each)} bytes for each held request of ${text.length} bytes`);
  assert.ok(each <= 16 * 1024, `${Math.round(each)} bytes each`);
  const begun = Date.now();
  proxy.child.kill('SIGTERM');
  await until(() => answers.length === 50 + held, { what: 'all answers', ms: 10_000 });
  const took = Date.now() - begun;
  t.diagnostic(`all answered ${took} ms after SIGTERM`);
  assert.equal(answers.filter((got) => got.includes('shutting_down')).length, 50 + held);
  passed();
});

test('5,000 halves of a head of 3 KB cost at most 8 kB each, and each is answered once it is whole', { timeout: 120_000 }, async (t) => {
  const { proxy, passed } = await use(t);
  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${proxy.child.pid}/status`, 'utf8'))[1]) * 1024;
  const half = `GET /nothing-here HTTP/1.1\r\nHost: 127.0.0.1:${proxy.port}\r\nX-Long: ${'x'.repeat(3000)}`;
  const answers = [], sockets = [];
  const begin = () => new Promise((resolve, reject) => {
    const socket = connect(proxy.port, '127.0.0.1', () => socket.write(half, resolve)).on('error', reject);
    let got = '';
    socket.on('data', (data) => (got += data)).on('close', () => answers.push(got));
    sockets.push(socket);
  });
  const seen = async (count) => until(async () => Number(/mcp_reauth_connections (\d+)/.exec(await proxy.metrics())?.[1]) >= count, { what: `${count} connections`, ms: 60_000 });
  for (let i = 0; i < 100; i++) await begin();
  await seen(100);
  const before = rss();
  for (let i = 0; i < 5000; i++) await begin();
  await seen(5100);
  const each = (rss() - before) / 5000;
  t.diagnostic(`${Math.round(each)} bytes for each half head of ${half.length} bytes`);
  assert.ok(each <= 8 * 1024, `${Math.round(each)} bytes each`);
  for (const socket of sockets) socket.write('\r\nConnection: close\r\n\r\n');
  await until(() => answers.length === sockets.length, { what: 'all answers', ms: 30_000 });
  assert.equal(answers.filter((got) => got.startsWith('HTTP/1.1 404')).length, sockets.length);
  passed();
});
