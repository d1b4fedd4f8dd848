// Sets up the usual cast (authorization server, MCP server, proxy) for a test and tears it down, whatever happens.
import { startAuthorizationServer } from './authorization_server.mjs';
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
