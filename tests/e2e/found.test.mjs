// The first five minutes: a browser and a chat tell of the approval, the pasted command works, and the command line finds the proxy
// without being told where it is.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAuthorizationServer } from './lib/authorization_server.mjs';
import { said, v1 } from './lib/clients.mjs';
import { startMcpServer } from './lib/mcp_server.mjs';
import { signIn } from './lib/person.mjs';
import { fakeBrowser } from './lib/fake_browser.mjs';
import { binary, freePorts, makeProxy, root, until } from './lib/proxy.mjs';
import { run } from './lib/published.mjs';

for (const [how, environment, expected] of [
  ['always', {}, 1],
  ['never', { DISPLAY: ':7' }, 0],
  ['auto', { DISPLAY: ':7', SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' }, 0],
]) {
  test(`open_browser: ${how} with ${JSON.stringify(environment)} opens ${expected} browser for an approval`, { timeout: 60_000 }, async (t) => {
    const as = await startAuthorizationServer();
    t.after(() => as.close());
    const rs = await startMcpServer({ authorizationServer: as });
    t.after(() => rs.close());
    const told = [];
    const chat = createServer((req, res) => {
      let body = '';
      req.on('data', (d) => (body += d)).on('end', () => { told.push(JSON.parse(body)); res.end('ok'); });
    });
    await new Promise((r) => chat.listen(0, '127.0.0.1', r));
    t.after(() => chat.close());
    const proxy = await makeProxy({ template: 'found.yaml', upstreamUrl: rs.url, values: { open_browser: how, root } });
    t.after(() => proxy.close());
    const { bin, opened } = fakeBrowser(proxy.dir);
    writeFileSync(join(proxy.dir, 'webhook.url'), `http://127.0.0.1:${chat.address().port}/hook\n`);
    const before = { ...process.env };
    Object.assign(process.env, { PATH: `${bin}:${process.env.PATH}`, ...environment });
    try { await proxy.start(); } finally { process.env.PATH = before.PATH; for (const name of Object.keys(environment)) delete process.env[name]; }

    const clients = [v1(`${proxy.origin}/files`), v1(`${proxy.origin}/files`)];
    const connecting = clients.map((c) => c.open());
    for (const c of connecting) c.catch(() => {});
    const approval = await proxy.oneApproval();
    await until(() => told.length === 1, { what: 'the chat to be told' });
    assert.ok(told[0].text.includes(approval.link) && told[0].text.includes('plain-v1'), told[0].text);
    if (expected) await until(() => opened() !== '', { what: 'the browser' });
    assert.equal(opened(), expected ? `<${approval.link}>\n` : '');

    // the command in the log, as it stands there
    const pasted = /run="(mcp-reauth approve [^"]+)"/.exec(proxy.log)?.[1];
    assert.ok(pasted, proxy.log);
    const { code, out } = await run(['sh', '-c', `${pasted.replace('mcp-reauth', binary)} --print-url`], { cwd: tmpdir(), env: { PATH: process.env.PATH, HOME: proxy.dir } });
    assert.equal(code, 0, out);
    await signIn(out.trim());
    await Promise.all(connecting);
    assert.equal(said(await clients[0].callTool({ name: 'echo', arguments: { message: 'hi' } })), 'hi');
    assert.equal(opened(), expected ? `<${approval.link}>\n` : '', 'once');
    for (const c of clients) await c.close();
  });
}

test('beside `serve URL` the command line needs no flags', { timeout: 60_000 }, async (t) => {
  const as = await startAuthorizationServer();
  t.after(() => as.close());
  const rs = await startMcpServer({ authorizationServer: as });
  t.after(() => rs.close());
  const dir = mkdtempSync(join(tmpdir(), 'mcp-reauth-found-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const [port, approvalPort] = await freePorts(2);
  const env = { PATH: process.env.PATH, HOME: dir, MCP_REAUTH_APPROVAL_OPEN_BROWSER: 'never' };
  const child = spawn(binary, ['serve', rs.url, '--listen', `127.0.0.1:${port}`, '--approval-listen', `127.0.0.1:${approvalPort}`], { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let log = '';
  child.stderr.on('data', (data) => (log += data));
  await until(() => log.includes('ready'), { what: 'the proxy' });
  const cli = (...words) => run([binary, ...words], { cwd: dir, env: { PATH: process.env.PATH, HOME: dir }, ms: 20_000 });

  const url = (await cli('client-config', '--for', 'url')).out.trim();
  assert.equal(url, `http://127.0.0.1:${port}/`);
  assert.match((await cli('check')).out, /upstream .*127\.0\.0\.1/);
  assert.match((await cli('doctor', 'upstream')).out, /ok .*authorization server/);
  assert.match((await cli('status')).out, /nothing held/);
  assert.match((await cli('approvals')).out, /Nothing waits/);
  assert.match((await cli('open')).out, new RegExp(`^http://127.0.0.1:${approvalPort}/open#`));
  const login = spawn(binary, ['login', 'upstream'], { cwd: dir, env: { PATH: process.env.PATH, HOME: dir }, stdio: ['ignore', 'pipe', 'inherit'] });
  const location = await new Promise((resolve) => login.stdout.once('data', (data) => resolve(String(data).trim())));
  await signIn(location);
  assert.equal(await new Promise((resolve) => login.on('close', resolve)), 0);
  assert.match((await cli('status')).out, /valid, renewable/);
  assert.match((await cli('history')).out, /login .*ok/);
  assert.match((await cli('rules')).out, /No rule was remembered/);
  for (const path of ['/', '/upstream', '/mcp']) { // at the root, under its name, and at the URL's own path
    const client = v1(`http://127.0.0.1:${port}${path}`);
    await client.open();
    assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: path } })), path);
    await client.close();
  }
  child.kill('SIGTERM');
  await new Promise((resolve) => child.on('close', resolve));
  assert.match((await cli('status')).out, /Start `mcp-reauth serve`|no proxy/);
});

test('the example of a desktop notification tells who asks, and a click opens the page', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'mcp-reauth-notify-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const { bin, opened } = fakeBrowser(dir);
  writeFileSync(join(bin, 'notify-send'), `#!/bin/sh\n{ for a in "$@"; do printf '<%s>' "$a"; done; echo; } >> ${dir}/told\necho open\n`);
  chmodSync(join(bin, 'notify-send'), 0o755);
  const child = spawn('python3', [join(root, 'conf/notify/desktop')], { env: { PATH: `${bin}:${process.env.PATH}`, HOME: dir }, stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.end(JSON.stringify({ id: 'ab12', kind: 'call', upstream: 'files', client: 'cursor', tool: '$(id)', link: 'http://127.0.0.1:8971/a/x' }));
  assert.equal(await new Promise((resolve) => child.on('close', resolve)), 0);
  const told = readFileSync(join(dir, 'told'), 'utf8');
  assert.ok(told.includes('<One call to files><cursor asks ($(id)).\nmcp-reauth approve ab12>'), told);
  await until(() => opened() === '<http://127.0.0.1:8971/a/x>\n', { what: 'the browser' });
});

test('what a client calls itself is no mark-up on a desktop, and no mention in a chat', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'mcp-reauth-notify-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const told = [];
  const chat = createServer(async (req, res) => {
    let body = '';
    for await (const piece of req) body += piece;
    told.push(JSON.parse(body).text);
    res.end();
  }).listen(0, '127.0.0.1');
  t.after(() => chat.close());
  await until(() => chat.listening, { what: 'the chat' });
  writeFileSync(join(dir, 'webhook.url'), `http://127.0.0.1:${chat.address().port}/hook\n`);
  mkdirSync(join(dir, 'bin'));
  writeFileSync(join(dir, 'bin', 'notify-send'), `#!/bin/sh\nfor a in "$@"; do printf '<%s>' "$a"; done >> ${dir}/told\n`);
  chmodSync(join(dir, 'bin', 'notify-send'), 0o755);
  const client = '<a href="https://evil.example">ok</a> <!channel> @here *x* [y](https://evil.example) `z`';
  const approval = { id: 'ab12', kind: 'call', upstream: 'files', principal: 'local', client, tool: '<b>`<!here>`</b>', scopes: { added: [], requested: ['a<b>'] },
    calls: [{}, {}, {}], link: 'http://127.0.0.1:8971/a/x' };
  for (const script of ['desktop', 'webhook']) {
    const child = spawn('python3', [join(root, 'conf/notify', script), join(dir, 'webhook.url')],
      { env: { PATH: `${join(dir, 'bin')}:${process.env.PATH}`, HOME: dir }, stdio: ['pipe', 'ignore', 'inherit'] });
    child.stdin.end(JSON.stringify(approval));
    assert.equal(await new Promise((resolve) => child.on('close', resolve)), 0, script);
  }
  const desktop = readFileSync(join(dir, 'told'), 'utf8').replace(/<(--[a-z]+(=[^>]*)?|One call to files)>/g, '');
  assert.ok(!/<(a|b|!)/.test(desktop.replace(/^</, '')), desktop);
  assert.match(desktop, /&lt;a href/);
  assert.match(desktop, /and 2 more/);
  assert.equal(told.length, 1);
  const [, words] = /^(.*): http:\/\/127\.0\.0\.1:8971\/a\/x$/.exec(told[0]);
  assert.ok(!/[<>@*[\]]|:\/\//.test(words), words);
});
