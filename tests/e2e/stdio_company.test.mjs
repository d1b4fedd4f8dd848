// `mcp-reauth stdio` beside others of its kind, in place of another bridge, before servers that talk back, and as it is started.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema, LoggingMessageNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { said } from './lib/clients.mjs';
import { fakeBrowser } from './lib/fake_browser.mjs';
import { connectAndApprove } from './lib/house.mjs';
import { signInWithMcpRemote } from './lib/mcp_remote.mjs';
import { startTalkingServer } from './lib/mcp_server_talking.mjs';
import { startMcpServerV2 } from './lib/mcp_server_v2.mjs';
import { signIn } from './lib/person.mjs';
import { binary, until } from './lib/proxy.mjs';
import { installed, prepare, run } from './lib/published.mjs';
import { program, stdioV1, useStdio } from './lib/stdio.mjs';

test('ten programs at once: one sign-in, one refresh an expiry; the one that shows the page is killed, and another does', { timeout: 120_000 }, async (t) => {
  const { as, rs, proxy, start, passed } = await useStdio(t, { proxy: { values: { refresh_ahead: '0s' } } });
  const clients = Array.from({ length: 10 }, () => stdioV1(start));
  const connecting = Promise.all(clients.map((client) => client.open()));
  connecting.catch(() => {});
  // asked in the same moment by several, it is one question as soon as the vault has said whose
  const settled = () => proxy.log.includes('approval needed');
  await until(async () => settled() && (await proxy.waiting().catch(() => [])).length === 1, { what: 'one approval for all' });
  const [approval] = await proxy.waiting();
  await proxy.approve(approval.id);
  await connecting;
  assert.equal(as.counts.authorizations, 1);
  assert.equal(as.counts.registrations, 1);
  for (let round = 0; round < 3; round++) {
    const before = as.counts.refreshes;
    await new Promise((resolve) => setTimeout(resolve, 2200)); // the token's life
    await Promise.all(clients.map((client, i) => client.callTool({ name: 'echo', arguments: { message: `${i}` } })));
    assert.ok(as.counts.refreshes - before <= 2, `one refresh for all, and at most one more: ${as.counts.refreshes - before}`);
  }
  assert.equal(as.counts.reuses, 0);
  // which of them shows the page is known by its lock: kill one after the other until the page goes
  const pids = new Map(clients.map((client) => [client.transportUnderTest.pid, client]));
  const holder = await shows(proxy, [...pids.keys()]);
  process.kill(holder, 'SIGKILL');
  const left = [...pids].filter(([pid]) => pid !== holder).map(([, client]) => client);
  const call = left[3].callTool({ name: 'admin', arguments: {} });
  call.catch(() => {});
  const more = await proxy.oneApproval();
  assert.equal(more.kind, 'step_up');
  await proxy.approve(more.id);
  assert.equal(said(await call), 'administered');
  assert.equal((await Promise.all(left.map((client) => client.callTool({ name: 'echo', arguments: { message: 'on' } })))).length, 9);
  assert.equal(rs.counts.tools.admin, 1);
  assert.equal(as.counts.reuses, 0);
  for (const client of left) {
    await client.close();
    assert.deepEqual(client.problems, []);
  }
  passed();
});

/// The process that listens on the approval port.
async function shows(proxy, pids) {
  const port = proxy.approvalPort.toString(16).toUpperCase().padStart(4, '0');
  const inode = readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/\s+/))
    .find((fields) => fields[1]?.endsWith(`:${port}`) && fields[3] === '0A')[9];
  for (const pid of pids) {
    const open = readdirSync(`/proc/${pid}/fd`).map((fd) => { try { return readlinkSync(`/proc/${pid}/fd/${fd}`); } catch { return ''; } });
    if (open.includes(`socket:[${inode}]`)) return pid;
  }
  throw new Error('nobody listens');
}

test('programs for different servers, and a serve of the same user, share one page: approvals of each are decided there', { timeout: 60_000 }, async (t) => {
  const { as, rs, proxy, passed } = await useStdio(t);
  const other = await startMcpServerV2({ authorizationServer: as });
  t.after(() => other.close());
  await proxy.start(); // serve, with the upstream `files`
  const byUrl = (url) => stdioV1(program(proxy, { upstream: url }));
  const [one, two] = [byUrl(other.url), byUrl(rs.url)];
  const opening = [one.open(), two.open()];
  for (const each of opening) each.catch(() => {});
  const both = await until(async () => { const all = await proxy.waiting(); return all.length === 2 && all; }, { what: 'two approvals in one list' });
  const theirs = both.find((a) => a.upstream !== 'files');
  // the page of another process's approval, at serve's address: look, approve, come back from the provider
  const page = await fetch(theirs.link);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /Approve|Sign in/i);
  const events = (await fetch(`${theirs.link}/events`)).body.getReader();
  let heard = '';
  while (!heard.includes(`"id":"${theirs.id}"`)) heard += new TextDecoder().decode((await events.read()).value);
  await events.cancel();
  for (const { id } of both) await proxy.approve(id);
  await Promise.all(opening);
  assert.equal(said(await one.callTool({ name: 'echo', arguments: { message: 'hi' } })), 'hi');
  assert.equal(said(await two.callTool({ name: 'echo', arguments: { message: 'ho' } })), 'ho');
  const { body } = await proxy.api('/api/credentials');
  assert.deepEqual(body.credentials.filter((c) => c.held).map((c) => c.upstream).sort(), ['files', theirs.upstream].sort());
  await one.close();
  await two.close();
  passed();
});

test('import mcp-remote takes its client and its tokens over: no new sign-in, its files stay as they are', { timeout: 90_000 }, async (t) => {
  const { as, rs, proxy, start, passed } = await useStdio(t);
  const home = join(proxy.dir, 'mcp-remote');
  const remote = await signInWithMcpRemote(rs.url, home);
  assert.equal(as.counts.authorizations, 1);
  const files = () => readdirSync(join(home, 'mcp-remote-v1')).sort().map((name) => [name, readFileSync(join(home, 'mcp-remote-v1', name), 'utf8')]);
  await remote.close();
  const before = files();
  const { code, stdout, stderr } = await proxy.cli('import', 'mcp-remote', rs.url, '--from', join(home, 'mcp-remote-v1'));
  assert.equal(code, 0, stderr);
  assert.match(stdout, /refresh token/);
  assert.deepEqual(files(), before);
  for (const secret of [before.find(([name]) => name.endsWith('_tokens.json'))].map(([, text]) => JSON.parse(text).refresh_token))
    assert.ok(!stdout.includes(secret) && !stderr.includes(secret));
  await new Promise((resolve) => setTimeout(resolve, as.settings.accessTokenSeconds * 1000 + 200)); // its access token is dead
  const client = stdioV1(start);
  await client.open();
  assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: 'moved in' } })), 'moved in');
  await client.close();
  assert.equal(as.counts.authorizations, 1, 'nobody signed in again');
  assert.equal(as.counts.registrations, 1);
  assert.equal(as.counts.reuses, 0);
  const again = await proxy.cli('import', 'mcp-remote', rs.url, '--from', join(home, 'mcp-remote-v1'));
  assert.equal(again.code, 2);
  assert.match(again.stderr, /already/);
  const other = await proxy.cli('import', 'mcp-remote', 'https://other.example/mcp', '--from', join(home, 'mcp-remote-v1'));
  assert.equal(other.code, 2);
  assert.match(other.stderr, /there are 1/);
  passed();
});

test('the server asks the model, the person and the roots of a stdio client; streams that are cut lose nothing; lost sessions are begun again', { timeout: 90_000 }, async (t) => {
  const { as, rs, proxy, start, passed } = await useStdio(t, { server: startTalkingServer });
  const client = stdioV1(start, { options: { capabilities: { sampling: {}, elicitation: {}, roots: {} } } });
  client.setRequestHandler(CreateMessageRequestSchema, async () => ({ model: 'm', role: 'assistant', content: { type: 'text', text: 'so' } }));
  client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept', content: { name: 'Ada' } }));
  client.setRequestHandler(ListRootsRequestSchema, async () => ({ roots: [{ uri: 'file:///work' }] }));
  const told = [];
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => told.push(params.data));
  await connectAndApprove(proxy, client);
  const call = (name, args = {}) => client.callTool({ name, arguments: args }).then(said);
  assert.equal(await call('ask_model'), 'the model said so');
  assert.equal(await call('ask_person'), 'accept Ada');
  assert.equal(await call('ask_roots'), 'file:///work');

  const counting = call('count', { to: 30, ms: 40 });
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    rs.cutStreams();
  }
  assert.equal(await counting, 'counted to 30');
  assert.ok(rs.counts.cuts >= 3);
  assert.deepEqual(told, Array.from({ length: 30 }, (_, i) => i), 'no message was lost or doubled');
  assert.equal(rs.counts.tools.count, 1);

  assert.ok(rs.forget() >= 1);
  const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => call('echo', { message: `${i}` })));
  assert.deepEqual(answers, Array.from({ length: 10 }, (_, i) => `${i}`));
  assert.equal(rs.counts.tools.echo, 10);
  assert.equal(rs.counts.sessions, 2, 'one new session for all who noticed');
  assert.equal(await call('ask_model'), 'the model said so', 'and it talks back there');
  await client.close();
  assert.deepEqual(client.problems, []);
  assert.equal(rs.counts.deletes, 1);
  assert.equal(as.counts.authorizations, 1);
  passed();
});

for (const published of installed().filter((c) => ['inspector', 'mcporter'].includes(c.name))) {
  test(`${published.name} ${published.version} through stdio: sign-in, expiry and step-up`, { timeout: 180_000 }, async (t) => {
    const { as, rs, proxy, passed } = await useStdio(t);
    const { connect, call } = await prepare(published, proxy, undefined, 'claude-desktop'); // the entry is of the same form
    const opening = connect();
    await proxy.approve((await proxy.oneApproval({ ms: 30_000 })).id);
    const first = await opening;
    assert.ok(first.ok, first.out);
    await new Promise((done) => setTimeout(done, as.settings.accessTokenSeconds * 1000 + 500)); // tokens are dead now
    assert.match((await call('echo', { message: 'still-here' })).out, /still-here/);
    const stepping = call('admin');
    const more = await proxy.oneApproval({ ms: 30_000 });
    assert.equal(more.kind, 'step_up');
    await proxy.approve(more.id);
    assert.match((await stepping).out, /administered/);
    assert.equal(rs.counts.tools.admin, 1);
    assert.equal(as.counts.refreshErrors, 0);
    assert.equal(as.counts.reuses, 0);
    passed();
  });
}

test('on a desktop the first start opens the page by itself, and signing in there lets the client through', { timeout: 60_000 }, async (t) => {
  const { proxy, passed } = await useStdio(t);
  const { bin, opened } = fakeBrowser(proxy.dir);
  const container = existsSync('/.dockerenv') || existsSync('/run/.containerenv'); // where `auto` opens none
  const client = stdioV1(program(proxy, {
    args: ['--set', `approval.open_browser=${container ? 'always' : 'auto'}`],
    env: { DISPLAY: ':7', PATH: `${bin}:${process.env.PATH}`, SSH_CONNECTION: '', SSH_CLIENT: '', SSH_TTY: '', INVOCATION_ID: '', container: '' },
  }));
  const opening = client.open();
  opening.catch(() => {});
  const link = (await until(() => /<(http[^>]+)>/.exec(opened()), { what: 'the browser' }))[1];
  const page = await fetch(link);
  assert.equal(page.status, 200);
  const form = /<form[^>]* action="([^"]+approve)"/.exec(await page.text())[1];
  const sent = await fetch(new URL(form, link), { method: 'POST', redirect: 'manual', headers: { origin: new URL(link).origin, 'sec-fetch-site': 'same-origin' } });
  const cookie = sent.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');
  const { callback } = await signIn(sent.headers.get('location'), { stopAt: proxy.approvals });
  assert.equal((await fetch(callback, { headers: { cookie } })).status, 200);
  await opening;
  assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: 'in' } })), 'in');
  await client.close();
  passed();
});

test('a wrong start says what is wrong, and where: on standard error, with its code', async (t) => {
  const { proxy, passed } = await useStdio(t);
  const cases = [
    [['stdio', 'fils', '--config', proxy.config], /did you mean 'files'\?/],
    [['stdio', 'http://api.example.com/mcp'], /must be https/],
    [['stdio', 'files', '--config', join(proxy.dir, 'absent.yaml')], /cannot be read/],
    [['stdio', proxy.approvals, '--header', 'X-A: ${NOT_SET_ANYWHERE}'], /NOT_SET_ANYWHERE/],
    [['stdio'], /UPSTREAM/],
  ];
  for (const [args, said] of cases) {
    const { code, out } = await run([binary, ...args], { cwd: proxy.dir, env: { ...process.env, HOME: proxy.dir } });
    assert.equal(code, 2, `${args}: ${out}`);
    assert.match(out, said);
  }
  passed();
});

test('a client that gives up while its person signs in: the page stays until they are done, and the next start is in', { timeout: 60_000 }, async (t) => {
  const { as, proxy, start, passed } = await useStdio(t);
  const first = stdioV1(start);
  first.open().catch(() => {});
  const { id } = await proxy.oneApproval();
  const { body } = await proxy.api(`/api/approvals/${id}/approve`, { method: 'POST', body: '{}' });
  const pid = first.transportUnderTest.pid;
  await first.close(); // Claude Desktop has waited long enough
  assert.equal(existsSync(`/proc/${pid}/stat`), false, 'the program has ended');
  await until(() => proxy.api('/api/approvals').then(({ status }) => status === 200, () => false), { what: 'the page, elsewhere' });
  const { status } = await signIn(body.location);
  assert.equal(status, 200);
  const second = stdioV1(start);
  await second.open();
  assert.equal(said(await second.callTool({ name: 'echo', arguments: { message: 'back' } })), 'back');
  await second.close();
  assert.equal(as.counts.authorizations, 1);
  const notes = join(proxy.dir, 'state/mcp-reauth/running');
  await until(() => readdirSync(notes).length === 0, { what: 'the end of the page' });
  // whom nobody looks at, nobody waits for
  const third = stdioV1(program(proxy, { upstream: 'https://127.0.0.1:1/mcp' }));
  await assert.rejects(third.open());
  await third.close();
  await until(() => readdirSync(notes).length === 0, { what: 'the end of the third', ms: 5000 });
  passed();
});
