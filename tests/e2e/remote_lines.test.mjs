// Lines of `npx mcp-remote`, from its own README, with the command alone replaced: each works.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express from 'express';
import { startAuthorizationServer } from './lib/authorization_server.mjs';
import { said } from './lib/clients.mjs';
import { addTools, startMcpServer, startProtected } from './lib/mcp_server.mjs';
import { startModernServer } from './lib/mcp_server_modern.mjs';
import { startOldServer } from './lib/mcp_server_old.mjs';
import { signIn } from './lib/person.mjs';
import { binary, canBind, freePorts, until } from './lib/proxy.mjs';
import { stdioV1 } from './lib/stdio.mjs';

const run = promisify(execFile);

/// A text with a difference without context applied to it, as `patch` would.
function patched(text, difference) {
  const lines = text.split('\n');
  for (const [, at, count, body] of [...difference.matchAll(/^@@ -(\d+),(\d+) .*@@\n((?:[-+].*\n)*)/gm)].reverse())
    lines.splice(at - 1, count, ...body.split('\n').filter((line) => line[0] === '+').map((line) => line.slice(1)));
  return lines.join('\n');
}
const registered = (port, { id = 'registered', path = '/oauth/callback', host = 'localhost', ...rest } = {}) => ({
  client_id: id, client_secret: 'a-secret-of-32-characters-and-some', redirect_uris: [`http://${host}:${port}${path}`], application_type: 'native',
  grant_types: ['authorization_code', 'refresh_token'], token_endpoint_auth_method: 'client_secret_basic', ...rest,
});

/// The cast of a line: servers, a home, and the client that starts it. `server`: 'keyed' wants X-Key or a bearer in place of a sign-in.
async function cast(t, { as: asOptions, server = startMcpServer } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'mcp-reauth-lines-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const as = await startAuthorizationServer({ accessTokenSeconds: 60, ...asOptions });
  t.after(() => as.close());
  const rs = await server({ authorizationServer: as });
  t.after(() => rs.close());
  const env = { ...process.env, HOME: dir, XDG_STATE_HOME: join(dir, 'state'), MCP_REAUTH_APPROVAL_OPEN_BROWSER: 'never' };
  const [page] = await freePorts(1);
  const log = join(dir, 'log');
  return {
    as, rs, dir,
    log: () => readFileSync(log, 'utf8'),
    start: (args, more = {}, entry = { command: binary, args: ['-y', 'mcp-remote@latest', ...args] }) => stdioV1({
      ...entry, cwd: dir, stderr: openSync(log, 'a'),
      env: { ...env, MCP_REAUTH_APPROVAL_LISTEN: `127.0.0.1:${page}`, ...more },
    }),
    /// The person: the one question that waits, through the provider.
    person: async () => {
      const asked = await until(async () => {
        const { stdout } = await run(binary, ['approvals', '--json'], { env }).catch(() => ({ stdout: '{}' }));
        return JSON.parse(stdout || '{}').approvals?.[0];
      }, { what: 'a question' });
      const { stdout } = await run(binary, ['approve', asked.id, '--print-url'], { env });
      const end = await signIn(stdout.trim());
      assert.equal(end.status, 200, JSON.stringify(end));
      return asked;
    },
  };
}

async function lives(t, c, args, { env, asked = true, tools } = {}) {
  const client = c.start(args, env);
  t.after(() => client.close().catch(() => {}));
  const connecting = client.open();
  connecting.catch(() => {});
  const question = asked ? await c.person() : undefined;
  await connecting.catch((error) => { throw new Error(`${error.message}\n${c.log()}`); });
  assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: 'hi' } })), 'hi');
  if (tools) assert.deepEqual((await client.listTools()).tools.map(({ name }) => name), tools);
  return { client, question };
}

const line = (name, f) => test(`npx mcp-remote ${name}`, { timeout: 60_000 }, f);

line('URL', async (t) => {
  const c = await cast(t);
  await lives(t, c, [c.rs.url]);
  assert.equal(c.as.counts.registrations, 1);
});

line('URL 9696 --host 127.0.0.1 --callback-path /custom/callback --static-oauth-client-info JSON', async (t) => {
  const [port] = await freePorts(1);
  const c = await cast(t, { as: { clients: [registered(port, { host: '127.0.0.1', path: '/custom/callback' })] } });
  await lives(t, c, [c.rs.url, `${port}`, '--host', '127.0.0.1', '--callback-path', '/custom/callback', '--static-oauth-client-info',
    '{ "client_id": "registered", "client_secret": "a-secret-of-32-characters-and-some" }']);
  assert.equal(c.as.counts.registrations, 0);
  assert.match(c.log(), /list of processes/);
  assert.ok(!c.log().includes('a-secret-of-32'), 'a secret in the log');
});

line('URL --static-oauth-client-info @FILE, at the port that follows from the URL', async (t) => {
  // what its README tells people to register: the port that it picks
  const picked = (mcp) => 3335 + (parseInt(createHash('md5').update(`http://127.0.0.1:${mcp}/mcp`).digest('hex').slice(0, 4), 16) % 45816);
  let mcp, port;
  do { // one that nobody else draws
    [mcp] = await freePorts(1);
    port = picked(mcp);
  } while (port >= 20000 || !(await canBind(port)));
  const c = await cast(t, {
    as: { clients: [registered(port)] }, server: ({ authorizationServer }) => startMcpServer({ authorizationServer, port: mcp }),
  });
  writeFileSync(join(c.dir, 'client info.json'), '{"client_id":"registered","client_secret":"${CLIENT_SECRET}"}');
  const { question } = await lives(t, c, [c.rs.url, '--static-oauth-client-info', `@${join(c.dir, 'client info.json')}`],
    { env: { CLIENT_SECRET: 'a-secret-of-32-characters-and-some' } });
  assert.equal(new URL(question.link).host, `localhost:${port}`);
  assert.equal(c.as.counts.registrations, 0);
});

line('URL --client-credentials --static-oauth-client-info … --static-oauth-client-metadata …', async (t) => {
  const machine = registered(1, { id: 'machine', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] });
  const c = await cast(t, {
    as: { clients: [machine], extend: (whole) => ({ ...whole, features: { ...whole.features, clientCredentials: { enabled: true } } }) },
  });
  await lives(t, c, [c.rs.url, '--client-credentials', '--static-oauth-client-info', '{"client_id":"machine","client_secret":"${MCP_CLIENT_SECRET}"}',
    '--static-oauth-client-metadata', '{"scope":"mcp:tools"}'], { env: { MCP_CLIENT_SECRET: machine.client_secret }, asked: false });
  assert.equal(c.as.counts.authorizations, 0);
});

line('URL --client-credentials --token-endpoint …', async (t) => {
  const machine = registered(1, { id: 'machine', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] });
  const c = await cast(t, {
    as: { clients: [machine], extend: (whole) => ({ ...whole, features: { ...whole.features, clientCredentials: { enabled: true } } }) },
  });
  await lives(t, c, [c.rs.url, '--client-credentials', '--token-endpoint', `${c.as.issuer}/token`, '--resource', c.rs.url,
    '--static-oauth-client-info', '{"client_id":"machine","client_secret":"${MCP_CLIENT_SECRET}"}',
    '--static-oauth-client-metadata', '{"scope":"mcp:tools","token_endpoint_auth_method":"client_secret_basic"}'],
  { env: { MCP_CLIENT_SECRET: machine.client_secret }, asked: false });
});

line('URL --resource URI, and two of them at once', async (t) => {
  const c = await cast(t);
  const { client } = await lives(t, c, [c.rs.url, '--resource', c.rs.url]);
  await client.close();
  const again = await lives(t, c, [c.rs.url, '--resource', c.rs.url], { asked: false }); // it is kept
  await again.client.close();
  await lives(t, c, [c.rs.url]); // another sign-in
  assert.equal(c.as.counts.authorizations, 2);
});

line('URL --authorize-param access_type=offline --authorize-param login_hint=ada', async (t) => {
  const seen = [];
  const c = await cast(t, {
    as: { extend: (whole) => ({ ...whole, extraParams: { access_type: (ctx, value) => { if (value) seen.push([value, ctx.oidc.params.login_hint]); } } }) },
  });
  await lives(t, c, [c.rs.url, '--authorize-param', 'access_type=offline', '--authorize-param', 'login_hint=ada']);
  assert.deepEqual(seen[0], ['offline', 'ada']);
});

line('URL --transport sse-only, sse-first and http-only', async (t) => {
  const c = await cast(t, { server: startOldServer });
  const { client } = await lives(t, c, [c.rs.url, '--transport', 'sse-only']);
  assert.equal(c.rs.counts.refused ?? 0, 0, 'POSTs to the stream');
  await client.close();
  await (await lives(t, c, [c.rs.url, '--transport', 'sse-first'], { asked: false })).client.close();
  assert.equal(c.rs.counts.refused ?? 0, 0);
  const strict = c.start([c.rs.url, '--transport', 'http-only']);
  t.after(() => strict.close().catch(() => {}));
  await assert.rejects(strict.open(), /405/);
});

line('URL --ignore-tool "adm*" --ignore-tool slow', async (t) => {
  const c = await cast(t);
  const { client } = await lives(t, c, [c.rs.url, '--ignore-tool', 'adm*', '--ignore-tool', 'slow'], { tools: ['echo'] });
  await assert.rejects(client.callTool({ name: 'admin', arguments: {} }), /not available/);
  assert.equal(c.rs.counts.tools.admin, undefined);
});

/// A server with keys in place of sign-ins.
const startKeyed = ({ authorizationServer }) => startProtected({
  authorizationServer, open: true,
  mount: (app, counts) => {
    app.all('/mcp', async (req, res) => {
      counts.seen = req.headers;
      const { authorization, 'x-api-key': key } = req.headers;
      if (!['Bearer the-key', 'Basic YTpi', 'the-key'].includes(authorization) && key !== 'the-key') return res.status(401).set('WWW-Authenticate', 'Basic realm="x"').end();
      const server = new McpServer({ name: 'keyed', version: '1' });
      addTools(server, counts);
      const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
      await server.connect(transport);
      return transport.handleRequest(req, res, req.body);
    });
    return () => {};
  },
});

line('URL --header "Authorization:${AUTH_HEADER}"', async (t) => {
  const c = await cast(t, { server: startKeyed });
  for (const key of ['Bearer the-key', 'Basic YTpi', 'the-key'])
    await (await lives(t, c, [c.rs.url, '--header', 'Authorization:${AUTH_HEADER}'], { env: { AUTH_HEADER: key }, asked: false })).client.close();
  assert.ok(!c.log().includes('the-key'), 'a key in the log');
});

line('URL --header "X-API-Key: …" --header "X-Team: blue", and --header-file', async (t) => {
  const c = await cast(t, { server: startKeyed });
  const one = await lives(t, c, [c.rs.url, '--header', 'X-API-Key: ${KEY}', '--header', 'X-Team: blue'], { env: { KEY: 'the-key' }, asked: false });
  assert.equal(c.rs.counts.seen['x-team'], 'blue');
  await one.client.close();
  writeFileSync(join(c.dir, 'headers.txt'), '# credentials for the example server\nAuthorization: Bearer the-key\nX-Custom-Header: custom-value\n');
  await lives(t, c, [c.rs.url, '--header-file', join(c.dir, 'headers.txt')], { asked: false });
  assert.equal(c.rs.counts.seen['x-custom-header'], 'custom-value');
});

line('URL --protocol auto, before a server that speaks 2026-07-28 only', async (t) => {
  const c = await cast(t, { server: startModernServer });
  const { client } = await lives(t, c, [c.rs.url, '--protocol', 'auto']);
  assert.equal(client.getServerVersion().name, 'modern');
});

line('URL 3334 with what has no meaning here: it is told, and works', async (t) => {
  const c = await cast(t);
  await lives(t, c, [c.rs.url, '3334', '--allow-http', '--debug', '--silent', '--enable-proxy', '--auth-timeout', '60', '--connect-timeout', '30',
    '--headers-timeout', '60', '--body-timeout', '0', '--keep-alive', '--ping-interval', '60', '--ipv4', '--disable-cookies', '--transport', 'http-first',
    '--auth-success-url', 'https://app.example.com/cli-connected']);
  for (const flag of ['3334', '--auth-timeout', '--body-timeout', '--keep-alive', '--ping-interval', '--enable-proxy', '--auth-success-url'])
    assert.match(c.log(), new RegExp(`note: .*${flag}.* has no meaning here: `));
});

test('import mcp-remote --config FILE rewrites what starts it, keeps a copy, and the entry works', { timeout: 60_000 }, async (t) => {
  const c = await cast(t);
  const file = join(c.dir, 'claude_desktop_config.json');
  const before = `{
  // mine
  "mcpServers": {
    "files": {
      "command": "npx",
      "args": ["-y", "mcp-remote@latest", "${c.rs.url}", "--ignore-tool", "slow", "--header", "X-Key: hush-hush"],
    },
    "other": { "command": "npx", "args": ["-y", "something-else"] }
  }
}
`;
  writeFileSync(file, before, { mode: 0o640 });
  const shown = await run(binary, ['import', 'mcp-remote', '--config', file, '--dry-run']);
  assert.match(shown.stdout, /^--- .*\n\+\+\+ .*\n@@ -5,2 \+5,2 @@\n-      "command": "npx",\n/);
  assert.equal(readFileSync(file, 'utf8'), before);
  const done = await run(binary, ['import', 'mcp-remote', '--config', file]);
  assert.match(done.stdout, /kept in .*before-mcp-reauth/);
  assert.match(done.stdout, /--header 'X-Key: …'/);
  assert.ok(!done.stdout.includes('hush'), 'a secret on the screen');
  const after = readFileSync(file, 'utf8');
  assert.equal(after, patched(before, shown.stdout), 'what was printed is what was done');
  assert.equal(readFileSync(`${file}.before-mcp-reauth`, 'utf8'), before);
  assert.equal(statSync(file).mode & 0o777, 0o640);
  assert.match(after, /"something-else"/);
  const entry = JSON.parse(after.replace(/\/\/ mine/, '').replace(/,(\s*})/g, '$1')).mcpServers.files;
  assert.equal(entry.args[0], 'stdio');
  const client = c.start([], {}, entry);
  t.after(() => client.close().catch(() => {}));
  const connecting = client.open();
  connecting.catch(() => {});
  await c.person();
  await connecting;
  assert.deepEqual((await client.listTools()).tools.map(({ name }) => name), ['echo', 'admin']);
  assert.match((await run(binary, ['import', 'mcp-remote', '--config', file])).stdout, /nowhere: nothing was changed/);
  const broken = await run(binary, ['import', 'mcp-remote', '--config', join(c.dir, 'log')]).then(() => assert.fail('no JSON'), (error) => error);
  assert.equal(broken.code, 2);
  assert.match(broken.stderr, /nothing was changed/i);
});

test('a word that mcp-remote does not know is refused, with a line that helps', async () => {
  const failed = await run(binary, ['mcp-remote', 'https://x.example/mcp', '--no-such']).then(() => assert.fail('must not work'), (error) => error);
  assert.equal(failed.code, 2);
  assert.match(failed.stderr, /--no-such/);
});
