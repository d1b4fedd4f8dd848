// The approval page in Chromium: what it says, what it does, that anybody can use it, with and without JavaScript.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { accessible, launch, person, screenshot, throughProvider } from './lib/browser.mjs';
import { said, v1 } from './lib/clients.mjs';
import { connectAndApprove, use } from './lib/house.mjs';

const approveButton = (page) => page.getByRole('button', { name: /^(Approve|Continue)/ });
const denyButton = (page) => page.getByRole('button', { name: 'Deny' });

for (const [name, options] of [
  ['wide', { viewport: { width: 1200, height: 800 } }],
  ['phone-dark', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }],
  ['no-javascript', { viewport: { width: 1200, height: 800 }, javaScriptEnabled: false }],
]) {
  test(`first login on the page, ${name}`, { timeout: 90_000 }, async (t) => {
    const { as, proxy, url, passed } = await use(t);
    const browser = await launch(t);
    const page = await person(browser, options);
    const client = v1(url);
    const connecting = client.open();
    connecting.catch(() => {});
    const approval = await proxy.oneApproval();

    const answer = await page.goto(approval.link);
    assert.equal(answer.status(), 200);
    assert.match(answer.headers()['content-security-policy'], /frame-ancestors 'none'/);
    assert.equal(answer.headers()['referrer-policy'], 'same-origin');
    const words = await page.locator('body').innerText();
    for (const part of ['files', 'mcp:tools', new URL(as.issuer).host]) assert.ok(words.includes(part), `the page must name ${part}:\n${words}`);
    await screenshot(page, `login-${name}`);
    if (options.javaScriptEnabled !== false) await accessible(page, 'the approval');

    await Promise.all([page.waitForURL(/\/interaction\//), approveButton(page).click()]);
    await throughProvider(page);
    assert.equal(new URL(page.url()).port, String(proxy.approvalPort));
    await screenshot(page, `login-done-${name}`);
    if (options.javaScriptEnabled !== false) await accessible(page, 'the page after the login');
    await connecting;
    assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: 'hi' } })), 'hi');
    assert.deepEqual(page.complaints, [], 'what the browser complained about');
    await client.close();
    passed();
  });
}

test('step-up: the page shows granted and added scopes side by side; deny reaches the client', { timeout: 90_000 }, async (t) => {
  const { rs, proxy, url, passed } = await use(t);
  const browser = await launch(t);
  const client = v1(url);
  await connectAndApprove(proxy, client);
  const page = await person(browser);

  const denied = client.callTool({ name: 'admin', arguments: {} }).then(() => assert.fail('must not work'), (error) => error);
  const first = await proxy.oneApproval();
  await page.goto(first.link);
  const words = await page.locator('body').innerText();
  for (const part of ['mcp:tools', 'mcp:admin', 'admin']) assert.ok(words.includes(part), `the page must name ${part}:\n${words}`);
  await screenshot(page, 'step-up');
  await accessible(page, 'the step-up');
  await denyButton(page).click();
  const error = await denied;
  assert.equal(error.data?.code, 'approval_denied', error.message);
  await screenshot(page, 'step-up-denied');

  const call = client.callTool({ name: 'admin', arguments: {} });
  call.catch(() => {});
  const second = await proxy.oneApproval();
  await page.goto(second.link);
  await Promise.all([page.waitForURL(/\/interaction\//), approveButton(page).click()]);
  await throughProvider(page);
  assert.equal(said(await call), 'administered');
  assert.equal(rs.counts.tools.admin, 1);
  await client.close();
  passed();
});

test('a flow that was started on the page does not finish in another browser', { timeout: 90_000 }, async (t) => {
  const { as, proxy, url, passed } = await use(t);
  const browser = await launch(t);
  const client = v1(url);
  const connecting = client.open();
  connecting.catch(() => {});
  const approval = await proxy.oneApproval();
  const mine = await person(browser);
  let authorize;
  mine.on('request', (request) => { if (request.url().startsWith(`${as.issuer}/auth?`)) authorize ??= request.url(); });
  await mine.goto(approval.link);
  await Promise.all([mine.waitForURL(/\/interaction\//), approveButton(mine).click()]);

  const foreign = await person(browser);
  let callback;
  foreign.on('response', (response) => { if (response.url().includes('/oauth/callback?')) callback = response; });
  await foreign.goto(authorize);
  await throughProvider(foreign);
  assert.ok(callback?.status() >= 400, `status of the callback: ${callback?.status()}`);
  await screenshot(foreign, 'foreign-browser');
  await accessible(foreign, 'the refusal');
  assert.equal(as.counts.codes, 0, 'the code was sent nowhere');
  await throughProvider(mine);
  await connecting;
  assert.equal(as.counts.codes, 1, 'the right browser finishes all the same');
  await client.close();
  passed();
});

test('the dashboard opens with a one-time link and is honest when empty', { timeout: 60_000 }, async (t) => {
  const { proxy, passed } = await use(t);
  const browser = await launch(t);
  const page = await person(browser);
  const { code, stdout, stderr } = await proxy.cli('open');
  assert.equal(code, 0, stderr);
  const link = /http:\/\/127\.0\.0\.1:\d+\/\S+/.exec(stdout)?.[0];
  assert.ok(link, `open must print a link: ${stdout}`);
  await page.goto(link);
  await page.getByText('files').first().waitFor();
  await screenshot(page, 'dashboard-empty');
  await accessible(page, 'the dashboard');
  assert.deepEqual(page.complaints, []);
  passed();
});

test('a batch is shown whole: every message, and what stands beside its arguments', { timeout: 90_000 }, async (t) => {
  const { rs, proxy, url, passed } = await use(t, { proxy: { template: 'gate.yaml', values: { heartbeat: '1s' } } });
  const browser = await launch(t);
  const client = v1(url);
  await connectAndApprove(proxy, client);
  const message = (id, name, more = {}) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: { ms: id }, ...more } });
  const answer = fetch(url, {
    method: 'POST', body: JSON.stringify([message(71, 'slow'), message(72, 'slow', { _meta: { 'acme/as': 'root', progressToken: 1 } }), message(73, 'echo')]),
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-session-id': client.transport.sessionId },
  });
  const asked = await proxy.oneApproval();
  assert.equal(asked.tool, 'echo', 'the one that the rule names');
  const page = await person(browser);
  await page.goto(asked.link);
  const words = await page.locator('body').innerText();
  for (const part of ['Send these 3 messages to files?', '2 more', '"ms": 71', '"ms": 72', '"ms": 73', '"acme/as": "root"']) assert.ok(words.includes(part), `the page must say ${part}:\n${words}`);
  await screenshot(page, 'call-batch');
  await accessible(page, 'a batch');
  await denyButton(page).click();
  assert.match(await (await answer).text(), /approval_denied/);
  assert.equal(rs.counts.tools.slow, undefined);
  assert.deepEqual(page.complaints, []);
  await client.close();
  passed();
});

test('a call that is too large to be shown: the page counts the rest, the dashboard wants a tick, and tells no stranger its token', { timeout: 90_000 }, async (t) => {
  const { rs, proxy, url, passed } = await use(t, { proxy: { template: 'gate.yaml', values: { heartbeat: '1s' } } });
  const browser = await launch(t);
  const client = v1(url);
  await connectAndApprove(proxy, client);
  const call = client.callTool({ name: 'echo', arguments: { message: `a\u200bb  c ${'y'.repeat(60_000)}` } });
  call.catch(() => {});
  const asked = await proxy.oneApproval();
  const look = await person(browser);
  await look.goto(asked.link);
  const words = await look.locator('body').innerText();
  for (const part of ['Not shown: ', 'a\\u200bb  c y', 'Sent to', '--unseen']) assert.ok(words.includes(part), `the page must say ${part}:\n${words.slice(0, 500)}`);
  await screenshot(look, 'call-not-shown');
  await accessible(look, 'a call that is not shown whole');

  const page = await person(browser);
  await page.goto((await proxy.cli('open')).stdout.trim());
  await page.getByText('bytes of this call').waitFor();
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByText(/tick that you approve/).waitFor();
  assert.equal(rs.counts.tools.echo, undefined);
  await screenshot(page, 'dashboard-not-shown');
  await accessible(page, 'the dashboard with a call that is not shown whole');
  await page.getByLabel('I approve what is not shown here').check();
  await page.getByRole('button', { name: 'Approve' }).click();
  assert.match(said(await call), /^a/);
  assert.equal(rs.counts.tools.echo, 1);
  assert.deepEqual(look.complaints, []);
  assert.deepEqual(page.complaints, []);
  await client.close();

  // the proxy ends, and another program takes its port: the tab that is still open tells it nothing
  await proxy.kill();
  const told = [];
  const stranger = createServer((req, res) => {
    told.push(`${req.method} ${req.url} ${req.headers.authorization ?? ''}`);
    res.setHeader('Content-Type', 'application/json').end('{"proof":"00"}');
  });
  await new Promise((resolve) => stranger.listen(proxy.approvalPort, '127.0.0.1', resolve));
  t.after(() => stranger.close());
  await page.getByText('Locked', { exact: true }).waitFor({ timeout: 30_000 });
  assert.ok(told.some((line) => line.startsWith('GET /api/proof?nonce=')), told.join('\n'));
  assert.ok(told.every((line) => !/Bearer/.test(line)), told.join('\n'));
  const { code, stderr } = await proxy.cli('status');
  assert.notEqual(code, 0);
  assert.match(stderr, /could not prove that it knows the operator token/);
  assert.ok(told.every((line) => !/Bearer/.test(line)), told.join('\n'));
  passed();
});
