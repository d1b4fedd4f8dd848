// The main job: an SDK client that knows no OAuth works through a protected server whose tokens live 2 s.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { said, v1 } from './lib/clients.mjs';
import { connectAndApprove, use } from './lib/house.mjs';
import { until } from './lib/proxy.mjs';

test('200 calls and one stream over 20 expiries: no error, one approval, no refresh too many', { timeout: 180_000 }, async (t) => {
  const { as, rs, proxy, url, passed } = await use(t, { proxy: { values: { refresh_ahead: '0s' } } });
  const client = v1(url);
  const beats = [];
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => beats.push(params.data));

  const { approval, end } = await connectAndApprove(proxy, client);
  assert.equal(approval.kind, 'login');
  assert.equal(approval.upstream, 'files');
  assert.deepEqual(approval.scopes.requested.filter((s) => s !== 'offline_access'), ['mcp:tools']);
  assert.equal(end.status, 200, 'the page after the provider');

  for (let i = 0; i < 200; i++) {
    const next = new Promise((resolve) => setTimeout(resolve, 230));
    const result = await client.callTool({ name: 'echo', arguments: { message: `call ${i}` } });
    assert.equal(said(result), `call ${i}`);
    await next;
  }
  await until(() => beats.length > 100, { what: 'heartbeats on the stream' });
  await client.close();

  assert.deepEqual(client.problems, [], 'errors that the client saw');
  assert.equal(rs.counts.tools.echo, 200, 'each call reached the tool once');
  assert.equal(rs.counts.streams, 1, 'the stream was opened once');
  assert.deepEqual(beats, [...beats.keys()], 'no event was lost or doubled');
  assert.equal(as.counts.authorizations, 1, 'authorizations');
  assert.equal(as.counts.registrations, 1, 'registrations');
  assert.ok(rs.counts.tokens.size - 1 >= 20, `expiries that mattered: ${rs.counts.tokens.size - 1}`);
  assert.equal(as.counts.refreshes, rs.counts.tokens.size - 1, 'every token that a refresh gave was used');
  assert.equal(as.counts.refreshErrors, 0);
  assert.equal(as.counts.reuses, 0, 'refresh tokens used twice');
  assert.deepEqual(await proxy.waiting(), []);
  t.diagnostic(`${as.counts.refreshes} refreshes, ${beats.length} events, ${rs.counts.rejected} challenges hidden`);
  passed();
});

test('many clients at once share one approval and one refresh', { timeout: 60_000 }, async (t) => {
  const { as, rs, proxy, url, passed } = await use(t, { proxy: { values: { refresh_ahead: '0s' } } });
  const clients = Array.from({ length: 10 }, () => v1(url));
  const connecting = Promise.all(clients.map((client) => client.open()));
  connecting.catch(() => {});
  const approval = await proxy.oneApproval();
  assert.equal((await proxy.waiting()).length, 1);
  await proxy.approve(approval.id);
  await connecting;
  assert.equal(as.counts.authorizations, 1);

  const before = as.counts.refreshes;
  await new Promise((resolve) => setTimeout(resolve, 2200)); // the token's life
  const answers = await Promise.all(clients.flatMap((client, c) =>
    Array.from({ length: 10 }, (_, i) => client.callTool({ name: 'echo', arguments: { message: `${c}.${i}` } }))));
  assert.equal(answers.length, 100);
  assert.ok(as.counts.refreshes - before <= 2, `one refresh for all, and at most one more: ${as.counts.refreshes - before}`);
  assert.equal(as.counts.reuses, 0);
  assert.equal(rs.counts.tools.echo, 100);
  for (const client of clients) {
    await client.close();
    assert.deepEqual(client.problems, []);
  }
  passed();
});

test('a 3 MiB call is replayed byte for byte; one over the limit is refused, and the next try works', { timeout: 60_000 }, async (t) => {
  const { rs, proxy, url, passed } = await use(t, { proxy: { values: { refresh_ahead: '0s' } } });
  const client = v1(url);
  await connectAndApprove(proxy, client);
  const big = 'é∂𝄞'.repeat(Math.floor((3 << 20) / 9));
  await new Promise((resolve) => setTimeout(resolve, 2200)); // the token's life
  assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: big } })), big);

  const tooBig = 'x'.repeat(5 << 20);
  await new Promise((resolve) => setTimeout(resolve, 2200)); // the token's life
  const outcome = await client.callTool({ name: 'echo', arguments: { message: tooBig } }).then((r) => r, (error) => error);
  // a proxy that renews before it sends need not replay at all; what it may not do is call the tool twice or hang
  if (outcome instanceof Error) assert.equal(outcome.data?.code, 'request_not_replayable', outcome.message);
  assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: 'again' } })), 'again');
  await client.close();
  assert.ok(rs.counts.tools.echo <= 3);
  passed();
});

test('a denial reaches the client as a JSON-RPC error, and the next try asks again', { timeout: 60_000 }, async (t) => {
  const { as, proxy, url, passed } = await use(t);
  const refused = v1(url).open().then(() => assert.fail('must not connect'), (error) => error);
  const first = await proxy.oneApproval();
  assert.equal((await proxy.deny(first.id)).body.status, 'denied');
  const error = await refused;
  assert.equal(error.code, -32010, error.message);
  assert.equal(error.data.code, 'approval_denied');
  assert.equal(as.counts.authorizations, 0);

  const client = v1(url);
  const { approval } = await connectAndApprove(proxy, client);
  assert.notEqual(approval.id, first.id);
  assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: 'now' } })), 'now');
  await client.close();
  passed();
});
