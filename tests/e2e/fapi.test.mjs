// Authorization servers that want more: pushed authorization requests (RFC 9126), and oidc-provider's FAPI 2.0 profile with DPoP and
// private_key_jwt.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as jose from 'jose';
import { said, v1 } from './lib/clients.mjs';
import { connectAndApprove, use } from './lib/house.mjs';
import { freePorts } from './lib/proxy.mjs';
import { program, stdioV1 } from './lib/stdio.mjs';

const par = (whole) => ({
  ...whole, features: { ...whole.features, pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true } },
});

const key = await jose.generateKeyPair('ES256', { extractable: true });
const client = async (callback) => ({
  client_id: 'registered', redirect_uris: [callback], application_type: 'native', grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
  token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', dpop_bound_access_tokens: true,
  jwks: { keys: [{ ...(await jose.exportJWK(key.publicKey)), alg: 'ES256', use: 'sig', kid: 'one' }] },
});

const fapi = (whole) => {
  const pushed = par(whole);
  return {
    ...pushed, clientAuthMethods: ['private_key_jwt'], enabledJWA: { ...whole.enabledJWA, clientAuthSigningAlgValues: ['ES256', 'PS256'] },
    features: {
      ...pushed.features, registration: { enabled: false }, fapi: { enabled: true, profile: '2.0' },
      dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 'x'), requireNonce: () => true },
    },
  };
};

async function lives({ as, rs, proxy, client: mcp }) {
  await connectAndApprove(proxy, mcp);
  for (let i = 0; i < 6; i++) {
    assert.equal(said(await mcp.callTool({ name: 'echo', arguments: { message: `${i}` } })), `${i}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const call = mcp.callTool({ name: 'admin', arguments: {} });
  call.catch(() => {});
  await proxy.approve((await proxy.oneApproval()).id);
  assert.equal(said(await call), 'administered');
  await mcp.close();
  assert.equal(as.counts.authorizations, 2, as.counts.errors.join('\n'));
  assert.ok(as.counts.refreshes >= 1);
  assert.equal(as.counts.reuses, 0);
  assert.equal(rs.counts.tools.echo, 6);
}

test('a server that requires pushed authorization requests: sign-in, expiry and step-up', { timeout: 60_000 }, async (t) => {
  const { as, rs, proxy, url, passed } = await use(t, { as: { extend: par } });
  let pushed = 0;
  as.provider.on('pushed_authorization_request.success', () => pushed++);
  await lives({ as, rs, proxy, client: v1(url) });
  assert.equal(pushed, 2);
  passed();
});

test('par: never, before a server that requires it, is told before anybody is sent there', { timeout: 60_000 }, async (t) => {
  const { proxy, url, passed } = await use(t, { as: { extend: par }, proxy: { values: { upstream: '    par: never' } } });
  const mcp = v1(url);
  await assert.rejects(mcp.open(), /`par: never` is set/);
  assert.deepEqual(await proxy.waiting(), []);
  passed();
});

for (const way of ['serve', 'stdio'])
  test(`FAPI 2.0 (PAR, DPoP with nonces, private_key_jwt) through ${way}`, { timeout: 60_000 }, async (t) => {
    const [approvalPort] = await freePorts(1);
    const dir = mkdtempSync(join(tmpdir(), 'mcp-reauth-fapi-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    writeFileSync(join(dir, 'key.pem'), await jose.exportPKCS8(key.privateKey), { mode: 0o600 });
    const { as, rs, proxy, url, passed } = await use(t, {
      as: { extend: fapi, clients: [await client(`http://127.0.0.1:${approvalPort}/oauth/callback`)] },
      proxy: { approvalPort },
      proxyValues: (server) => ({
        upstream: `    dpop: require\n    client: {id: registered, auth: private_key_jwt, private_key: {file: ${join(dir, 'key.pem')}}, alg: ES256, issuer: "${server.issuer}"}`,
      }),
    });
    if (way === 'stdio') await proxy.kill('SIGTERM');
    await lives({ as, rs, proxy, client: way === 'serve' ? v1(url) : stdioV1(program(proxy)) });
    assert.ok(rs.counts.proofs >= 7, `proofs: ${rs.counts.proofs}`);
    passed();
  });
