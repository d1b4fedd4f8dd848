// `mcp-reauth stdio`: clients that know nothing but a program's standard input and output, through expiry and step-up.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { said } from './lib/clients.mjs';
import { connectAndApprove, liveThroughExpiryAndStepUp } from './lib/house.mjs';
import { startMcpServerV2 } from './lib/mcp_server_v2.mjs';
import { until } from './lib/proxy.mjs';
import { stdioV1, stdioV2, useStdio } from './lib/stdio.mjs';

test('200 calls and one stream over 20 expiries through stdio: no error, one approval, no refresh too many', { timeout: 180_000 }, async (t) => {
  const { as, rs, proxy, start, passed } = await useStdio(t, { proxy: { values: { refresh_ahead: '0s' } } });
  const client = stdioV1(start);
  const beats = [];
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => beats.push(params.data));
  const { approval } = await connectAndApprove(proxy, client);
  assert.equal(approval.kind, 'login');
  for (let i = 0; i < 200; i++) {
    const next = new Promise((resolve) => setTimeout(resolve, 230));
    assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: `call ${i}` } })), `call ${i}`);
    await next;
  }
  await until(() => beats.length > 100, { what: 'heartbeats on the stream' });
  const before = Date.now();
  await client.close();
  assert.ok(Date.now() - before < 1900, 'it ends by itself when its input ends');
  assert.deepEqual(client.problems, [], 'errors that the client saw');
  assert.equal(rs.counts.tools.echo, 200, 'each call reached the tool once');
  assert.deepEqual(beats, [...beats.keys()], 'no event was lost or doubled');
  assert.equal(as.counts.authorizations, 1);
  assert.equal(as.counts.registrations, 1);
  assert.ok(rs.counts.tokens.size - 1 >= 20, `expiries that mattered: ${rs.counts.tokens.size - 1}`);
  assert.equal(as.counts.refreshErrors, 0);
  assert.equal(as.counts.reuses, 0, 'refresh tokens used twice');
  passed();
});

const cases = [
  ['v2 pinned to 2026-07-28', (start) => stdioV2(start, { mode: { pin: '2026-07-28' } }), 'modern'],
  ['v2 auto', (start) => stdioV2(start, { mode: 'auto' }), 'modern'],
  ['v2 legacy', (start) => stdioV2(start, { mode: 'legacy' }), 'legacy'],
  ['v1', (start) => stdioV1(start), 'legacy'],
];
for (const [name, make, era] of cases) {
  test(`${name} through stdio: connect waits for the approval, calls work across expiries and a step-up`, { timeout: 60_000 }, async (t) => {
    const { as, rs, proxy, start, passed } = await useStdio(t, { server: startMcpServerV2, proxy: { values: { refresh_ahead: '0s' } } });
    const client = make(start);
    await liveThroughExpiryAndStepUp({ as, rs, proxy, client, era });
    passed();
  });
}
