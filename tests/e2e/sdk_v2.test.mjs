// SDK v2 clients, both eras, through the proxy to an SDK v2 server: the login is held, expiry is not seen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { said, v1, v2 } from './lib/clients.mjs';
import { connectAndApprove, liveThroughExpiryAndStepUp, use } from './lib/house.mjs';
import { startMcpServerV2 } from './lib/mcp_server_v2.mjs';

const cases = [
  ['v2 pinned to 2026-07-28', (url) => v2(url, { mode: { pin: '2026-07-28' } }), 'modern'],
  ['v2 auto', (url) => v2(url, { mode: 'auto' }), 'modern'],
  ['v2 legacy', (url) => v2(url, { mode: 'legacy' }), 'legacy'],
  ['v1', (url) => v1(url), 'legacy'],
];
for (const [name, make, era] of cases) {
  test(`${name}: connect waits for the approval, calls work across expiries and a step-up`, { timeout: 60_000 }, async (t) => {
    const { as, rs, proxy, url, passed } = await use(t, { server: startMcpServerV2, proxy: { values: { refresh_ahead: '0s' } } });
    const client = make(url);
    await liveThroughExpiryAndStepUp({ as, rs, proxy, client, era });
    passed();
  });
}

test('a client with a short time-out and progress waits through a slow person', { timeout: 60_000 }, async (t) => {
  const { proxy, url, passed } = await use(t);
  const client = v1(url);
  await connectAndApprove(proxy, client);
  const messages = [];
  const call = client.callTool({ name: 'admin', arguments: {} }, undefined, {
    timeout: 12_000, resetTimeoutOnProgress: true, maxTotalTimeout: 50_000,
    onprogress: ({ progress, message }) => messages.push({ progress, message }),
  });
  call.catch(() => {});
  const approval = await proxy.oneApproval();
  await new Promise((resolve) => setTimeout(resolve, 16_000)); // longer than the client's time-out
  await proxy.approve(approval.id);
  assert.equal(said(await call), 'administered');
  assert.ok(messages.length >= 2, `progress: ${JSON.stringify(messages)}`);
  assert.match(messages[0].message, /Waiting for approval: http:\/\/127\.0\.0\.1:\d+\/a\//);
  assert.ok(messages.every((m, i) => i === 0 || m.progress > messages[i - 1].progress), 'progress rises');
  await client.close();
  passed();
});
