// A provider that issues a refresh token for offline_access alone, and grants that with a consent alone (OIDC Core, section 11), as
// oidc-provider does by default.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { said, v1 } from './lib/clients.mjs';
import { connectAndApprove, use } from './lib/house.mjs';

const strict = (whole) => ({ ...whole, issueRefreshToken: async (ctx, client, code) => code.scopes.has('offline_access') });

test('both halves of the pair are sent: one sign-in, and expiries go unseen', { timeout: 60_000 }, async (t) => {
  const { as, proxy, url, passed } = await use(t, { as: { extend: strict } });
  const client = v1(url);
  await connectAndApprove(proxy, client);
  for (let i = 0; i < 10; i++) {
    assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: `${i}` } })), `${i}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  assert.equal(as.counts.authorizations, 1);
  assert.ok(as.counts.refreshes >= 2);
  assert.match((await proxy.cli('status')).stdout, /valid, renewable/);
  await client.close();
  passed();
});

test('a login that brings no refresh token is told: on the last page, by status, in the log', { timeout: 60_000 }, async (t) => {
  const { as, proxy, url, passed } = await use(t, {
    as: { extend: strict, accessTokenSeconds: 60 }, proxy: { values: { upstream: '    authorize_params: {prompt: login}' } },
  });
  const client = v1(url);
  const { end } = await connectAndApprove(proxy, client);
  assert.match(end.body, /refresh token/);
  assert.match((await proxy.cli('status')).stdout, /valid, can't be renewed/);
  assert.match((await proxy.cli('status')).stdout, /files/);
  assert.equal(as.counts.refreshes, 0);
  await client.close();
  passed();
});
