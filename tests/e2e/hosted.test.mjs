// Servers as they are hosted: Cloudflare's workers-oauth-provider on workerd, and better-auth, through a whole life: sign-in, expiries,
// step-up, revocation, sign-out (counted at the server), by `serve` and by `stdio`.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startBetterAuth } from './lib/better_auth.mjs';
import { said, v1 } from './lib/clients.mjs';
import { startCloudflare } from './lib/cloudflare.mjs';
import { connectAndApprove } from './lib/house.mjs';
import { startMcpServer } from './lib/mcp_server.mjs';
import { binary, freePorts, makeProxy } from './lib/proxy.mjs';
import { program, stdioV1 } from './lib/stdio.mjs';

const run = promisify(execFile);

const servers = {
  'workers-oauth-provider': async (t) => {
    const server = await startCloudflare();
    t.after(() => server.close());
    return { url: server.url, tools: server.counts.tools, expire: server.expire, revokeAll: server.revokeAll, living: server.grants, errors: [] };
  },
  'better-auth': async (t) => {
    const [port] = await freePorts(1);
    const as = await startBetterAuth({ resource: `http://127.0.0.1:${port}/mcp`, accessTokenSeconds: 60 });
    t.after(() => as.close());
    const rs = await startMcpServer({ authorizationServer: as, port });
    t.after(() => rs.close());
    // tokens say the second of their issue: only in the next one is it known that they are of before
    const kill = async () => {
      const next = Math.floor(Date.now() / 1000) + 1;
      while (Date.now() < next * 1000) await new Promise((resolve) => setTimeout(resolve, next * 1000 - Date.now()));
      rs.counts.revokedBefore = next;
    };
    return {
      url: rs.url, tools: rs.counts.tools, living: as.living, errors: as.counts.errors,
      expire: kill,
      revokeAll: async () => { for (const token of as.tables.oauthRefreshToken) token.revoked = new Date(); await kill(); },
    };
  },
};

const ways = {
  serve: async (proxy) => { await proxy.start(); return v1(`${proxy.origin}/files`); },
  stdio: async (proxy) => stdioV1(program(proxy)),
};

for (const [name, start] of Object.entries(servers))
  for (const [way, connect] of Object.entries(ways))
    test(`${name} through ${way}: sign-in, expiries, step-up, revocation, sign-out`, { timeout: 90_000 }, async (t) => {
      const server = await start(t);
      const proxy = await makeProxy({ upstreamUrl: server.url });
      let passed = false;
      t.after(async () => {
        if (!passed) t.diagnostic(`${server.errors.join('\n')}\nthe proxy's log:\n${proxy.log}`);
        await proxy.close();
      });
      const client = await connect(proxy);
      const echo = async (message) => assert.equal(said(await client.callTool({ name: 'echo', arguments: { message } })), message);
      const { approval } = await connectAndApprove(proxy, client);
      assert.equal(approval.kind, 'login');
      await echo('signed in');
      for (let i = 0; i < 3; i++) {
        await server.expire();
        await echo(`expired ${i}`);
      }
      const call = client.callTool({ name: 'admin', arguments: {} });
      call.catch(() => {});
      const more = await proxy.oneApproval();
      assert.equal(more.kind, 'step_up');
      assert.deepEqual(more.scopes.added, ['mcp:admin']);
      await proxy.approve(more.id);
      assert.equal(said(await call), 'administered');
      await server.expire();
      await echo('after the step-up');
      assert.equal(said(await client.callTool({ name: 'admin', arguments: {} })), 'administered');
      assert.equal(server.tools.admin, 2);
      await server.revokeAll();
      const anew = client.callTool({ name: 'echo', arguments: { message: 'anew' } });
      anew.catch(() => {});
      const again = await proxy.oneApproval();
      assert.equal(again.kind, 'login');
      await proxy.approve(again.id);
      assert.equal(said(await anew), 'anew');
      await server.expire();
      await echo('and on');
      assert.ok((await server.living()) >= 1);
      const { stdout } = await run(binary, ['logout', 'files', '--json', '--config', proxy.config], { cwd: proxy.dir, env: { ...process.env, HOME: proxy.dir } });
      const out = JSON.parse(stdout);
      assert.equal(await server.living(), 0, `what lives on after ${stdout}`);
      assert.deepEqual((out.left ?? []).filter(({ token }) => token !== 'access_token'), [], stdout);
      await client.close();
      passed = true;
    });
