// `action: approve` with a real client and a real server, whose calls are counted there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
