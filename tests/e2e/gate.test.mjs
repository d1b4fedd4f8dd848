// `action: approve` with a real client and a real server, whose calls are counted there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import express from 'express';
import { said, v1 } from './lib/clients.mjs';
import { connectAndApprove, use } from './lib/house.mjs';
import { until } from './lib/proxy.mjs';

/// REAUTH_LONG_WAIT: seconds that a person takes (180: three times what the client bears without progress).
const long = Number(process.env.REAUTH_LONG_WAIT ?? 0) * 1000;

test('a client that is told of progress outlives its own time-out while a person thinks', { timeout: long + 60_000 }, async (t) => {
  const { rs, proxy, url, passed } = await use(t, { proxy: { template: 'gate.yaml', values: { heartbeat: long ? '10s' : '1s' } } });
  const client = v1(url, { info: { name: 'patient', version: '1.0.0' } });
  await connectAndApprove(proxy, client);
  const told = [];
  const call = client.callTool({ name: 'echo', arguments: { message: 'worth the wait' } }, undefined, {
    timeout: long ? 60_000 : 3000, resetTimeoutOnProgress: true, onprogress: (p) => told.push(p),
  });
  call.catch(() => {});
  const asked = await proxy.oneApproval();
  assert.equal(asked.client, 'patient');
  await until(() => told.length >= (long ? long / 10_000 + 1 : 5), { what: 'progress', ms: long + 30_000 });
  assert.match(told[0].message, /Waiting for approval: http/);
  assert.equal(rs.counts.tools.echo, undefined, 'nothing has reached the server');
  const { code, stdout } = await proxy.cli('approve', asked.id);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /Done: approved/);
  assert.equal(said(await call), 'worth the wait');
  assert.equal(rs.counts.tools.echo, 1);
  assert.ok(!proxy.log.includes('worth the wait'), 'arguments are never logged');
  assert.match(proxy.log, /"event":"call approved"[^\n]*"client":"patient"[^\n]*tools\/call echo/);
  await client.close();
  passed();
});

test('an approved call outlives a killed process, and is used once', { timeout: 60_000 }, async (t) => {
  const { rs, proxy, url, passed } = await use(t, { proxy: { template: 'gate.yaml', values: { heartbeat: '1s' } } });
  const client = v1(url);
  await connectAndApprove(proxy, client);
  const gone = new AbortController();
  const first = client.callTool({ name: 'echo', arguments: { message: 'once' } }, undefined, { signal: gone.signal });
  first.catch(() => {});
  const asked = await proxy.oneApproval();
  await proxy.kill();
  gone.abort();
  await proxy.start();
  await until(async () => (await proxy.waiting()).some((a) => a.id === asked.id), { what: 'the question to be taken up' });
  assert.equal((await proxy.api(`/api/approvals/${asked.id}/approve`, { method: 'POST', body: '{}' })).body.status, 'done');
  const again = v1(url);
  await again.open();
  assert.equal(said(await again.callTool({ name: 'echo', arguments: { message: 'once' } })), 'once');
  assert.equal(rs.counts.tools.echo, 1);
  const more = again.callTool({ name: 'echo', arguments: { message: 'once' } });
  more.catch(() => {});
  const another = await proxy.oneApproval();
  assert.notEqual(another.id, asked.id);
  assert.equal(rs.counts.tools.echo, 1);
  await proxy.deny(another.id);
  await assert.rejects(more, /denied/);
  assert.equal(rs.counts.tools.echo, 1);
  await again.close();
  passed();
});

test('a real Express server decodes charset=utf-7, and no call reaches it by that', { timeout: 60_000 }, async (t) => {
  // what its own body-parser makes of it
  const names = [];
  const app = express();
  app.use(express.json());
  app.post('/', (req, res) => { names.push(req.body.params.name); res.json({}); });
  const plain = app.listen(0, '127.0.0.1');
  t.after(() => plain.close());
  await until(() => plain.listening, { what: 'Express' });
  const hidden = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: '+AGU-cho', arguments: { message: 'unseen' } } });
  const types = ['application/json; charset=utf-7', 'application/json;charset="utf-7"', 'application/json; charset=UTF-16LE'];
  await fetch(`http://127.0.0.1:${plain.address().port}/`, { method: 'POST', body: hidden, headers: { 'content-type': types[0] } });
  assert.deepEqual(names, ['echo'], 'the server reads another name than stands there');

  const { rs, proxy, url, passed } = await use(t, { proxy: { template: 'gate.yaml', values: { heartbeat: '1s' } } });
  const client = v1(url);
  await connectAndApprove(proxy, client);
  const post = (body, headers) => fetch(url, {
    method: 'POST', body, headers: { accept: 'application/json, text/event-stream', 'mcp-session-id': client.transport.sessionId, ...headers },
  });
  for (const type of types) {
    const answer = await (await post(type.includes('16') ? Buffer.from(hidden, 'utf16le') : hidden, { 'content-type': type })).text();
    assert.match(answer, /denied_by_policy/, type);
  }
  for (const headers of [{ 'mcp-name': 'harmless' }, { 'mcp-method': 'tools/list' }]) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 8, method: 'tools/call', params: { name: 'slow', arguments: { ms: 1 } } });
    assert.match(await (await post(body, { 'content-type': 'application/json', ...headers })).text(), /denied_by_policy/);
  }
  assert.equal(rs.counts.tools.echo, undefined);
  assert.equal(rs.counts.tools.slow, undefined);
  assert.deepEqual(await proxy.waiting(), []);
  assert.equal(said(await client.callTool({ name: 'slow', arguments: { ms: 1 } })), 'after 1 ms');
  await client.close();
  passed();
});
