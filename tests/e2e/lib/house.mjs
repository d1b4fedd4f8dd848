// Sets up the usual cast (authorization server, MCP server, proxy) for a test and tears it down, whatever happens.
import assert from 'node:assert/strict';
import { startAuthorizationServer } from './authorization_server.mjs';
import { said } from './clients.mjs';
import { startMcpServer } from './mcp_server.mjs';
import { makeProxy } from './proxy.mjs';

/// `use(t, options)` → { as, rs, proxy, url }; everything ends with the test.
export async function use(t, { server = startMcpServer, as: asOptions, rs: rsOptions, proxy: proxyOptions = {}, proxyValues, path = '/files' } = {}) {
  const as = await startAuthorizationServer(asOptions);
  t.after(() => as.close());
  const rs = await server({ authorizationServer: as, ...rsOptions });
  t.after(() => rs.close());
  const values = { ...proxyOptions.values, ...proxyValues?.(as) };
  const proxy = await makeProxy({ upstreamUrl: rs.url, ...proxyOptions, values });
  let failed = true;
  t.after(async () => {
    if (failed && proxy.log) t.diagnostic(`the proxy's log ends with:\n${proxy.log.split('\n').slice(-25).join('\n')}`);
    await proxy.close();
  });
  await proxy.start();
  return { as, rs, proxy, url: proxy.origin + path, passed: () => { failed = false; } };
}

/// Connects while a person approves the one question that comes up; gives the client and the approval.
export async function connectAndApprove(proxy, client) {
  const connecting = client.open();
  connecting.catch(() => {}); // awaited below
  const approval = await proxy.oneApproval();
  const end = await proxy.approve(approval.id);
  await connecting;
  return { approval, end };
}

/// A client's whole life before a server with tokens of 2 s: its connection waits for the approval, calls notice no expiry, and one
/// that needs more waits for its step-up. `era`: the only one that the server may see.
export async function liveThroughExpiryAndStepUp({ as, rs, proxy, client, era }) {
  const { approval } = await connectAndApprove(proxy, client);
  assert.equal(approval.kind, 'login');
  for (let i = 0; i < 12; i++) {
    assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: `${i}` } })), `${i}`);
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  const call = client.callTool({ name: 'admin', arguments: {} });
  call.catch(() => {});
  const more = await proxy.oneApproval();
  assert.deepEqual(more.scopes.added, ['mcp:admin']);
  await proxy.approve(more.id);
  assert.equal(said(await call), 'administered');
  await client.close();
  assert.equal(rs.counts.tools.echo, 12);
  assert.equal(rs.counts.tools.admin, 1);
  assert.equal(as.counts.authorizations, 2);
  assert.ok(as.counts.refreshes >= 2, `refreshes: ${as.counts.refreshes}`);
  assert.equal(as.counts.reuses, 0);
  assert.ok(rs.counts.eras[era] > 0 && Object.keys(rs.counts.eras).length === 1, `eras served: ${JSON.stringify(rs.counts.eras)}`);
}
