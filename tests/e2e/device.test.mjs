// Device authorization (RFC 8628) end to end: oidc-provider's own device pages, a code in the terminal and on the
// approval page, and the request that waited goes on.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { accessible, launch, person, screenshot, throughProvider } from './lib/browser.mjs';
import { said, v1 } from './lib/clients.mjs';
import { use } from './lib/house.mjs';
import { binary, until } from './lib/proxy.mjs';

/// What a person does on their phone: opens the address, types the code where the page has none yet, confirms, signs in.
async function onAnotherDevice(browser, { address, code, refuse = false }) {
  const page = await person(browser);
  await page.goto(address);
  const field = page.locator('input[name=user_code]:not([type=hidden])');
  if (await field.count()) await field.fill(code);
  for (let i = 0; i < 3 && new URL(page.url()).pathname.startsWith('/device'); i++) {
    const button = page.getByRole('button', { name: refuse && i > 0 ? /Abort/ : 'Continue' });
    if (!(await button.count())) break;
    await Promise.all([page.waitForLoadState('networkidle'), button.first().click()]);
    await page.waitForLoadState('networkidle');
  }
  if (!refuse) await throughProvider(page);
  const words = await page.locator('body').innerText();
  await page.context().close();
  return words;
}

test('login --device: the code is in the terminal, any browser completes it, and calls work', { timeout: 90_000 }, async (t) => {
  const { as, proxy, url, passed } = await use(t, { as: { device: true, accessTokenSeconds: 60 } });
  const browser = await launch(t);
  const child = spawn(binary, ['login', 'files', '--device', '--config', proxy.config], {
    cwd: proxy.dir, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: proxy.dir },
  });
  let out = '', err = '';
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (err += data));
  const ended = new Promise((resolve) => child.on('close', resolve));
  const code = await until(() => /enter the code\s+(\S+)/.exec(err)?.[1], { what: 'a code' });
  const address = /open (\S+)/.exec(err)[1];
  assert.equal(new URL(address).origin, as.issuer);
  assert.match(await onAnotherDevice(browser, { address, code }), /successful/);
  assert.equal(await ended, 0, err);
  assert.match(out, /^http\S+\n/);
  const client = v1(url);
  await client.open();
  assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: 'hi' } })), 'hi');
  assert.equal(as.counts.devices, 1);
  assert.equal(as.counts.codes, 0);
  assert.ok(!proxy.log.includes(code), 'a code in the log');
  await client.close();
  passed();
});

for (const [name, options] of [
  ['wide', { viewport: { width: 1200, height: 800 } }],
  ['phone-dark', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }],
  ['no-javascript', { viewport: { width: 1200, height: 800 }, javaScriptEnabled: false }],
])
  test(`the page shows a code that another device completes, ${name}`, { timeout: 90_000 }, async (t) => {
    const { as, proxy, url, passed } = await use(t, { as: { device: true } });
    const browser = await launch(t);
    const page = await person(browser, options);
    const client = v1(url);
    const connecting = client.open();
    connecting.catch(() => {});
    const approval = await proxy.oneApproval();
    assert.equal(approval.device_offered, true);
    await page.goto(approval.link);
    await page.getByRole('button', { name: 'Sign in on another device' }).click();
    const code = await page.locator('.device code').innerText();
    assert.ok(await page.locator('svg.qr path').count(), 'a QR code');
    await screenshot(page, `device-${name}`);
    if (options.javaScriptEnabled !== false) await accessible(page, 'the page with a code');
    const [shown] = await proxy.waiting();
    assert.deepEqual(shown.device, { user_code: code, verification_uri: `${as.issuer}/device` });
    await onAnotherDevice(browser, { address: shown.device.verification_uri, code });
    await connecting;
    assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: 'hi' } })), 'hi');
    if (options.javaScriptEnabled !== false)
      await until(async () => /Approved/.test(await page.locator('body').innerText()), { what: 'the page to go on' });
    assert.deepEqual(page.complaints, [], 'what the browser complained about');
    await client.close();
    passed();
  });

test('who has a code may sign in with the browser instead', { timeout: 90_000 }, async (t) => {
  const { as, proxy, url, passed } = await use(t, { as: { device: true } });
  const browser = await launch(t);
  const page = await person(browser);
  const client = v1(url);
  const connecting = client.open();
  connecting.catch(() => {});
  const approval = await proxy.oneApproval();
  await page.goto(approval.link);
  await page.getByRole('button', { name: 'Sign in on another device' }).click();
  await page.locator('.device code').waitFor();
  await Promise.all([page.waitForURL(/\/interaction\//), page.getByRole('button', { name: 'Sign in with this browser instead' }).click()]);
  await throughProvider(page);
  await connecting;
  assert.equal(as.counts.devices, 0);
  await client.close();
  passed();
});

test('a device login that is refused at the provider reaches the client as a denial', { timeout: 90_000 }, async (t) => {
  const { proxy, url, passed } = await use(t, { as: { device: true } });
  const browser = await launch(t);
  const client = v1(url);
  const connecting = client.open().then(() => assert.fail('must not work'), (error) => error);
  const approval = await proxy.oneApproval();
  const answer = await proxy.api(`/api/approvals/${approval.id}/approve`, { method: 'POST', body: '{"method":"device"}' });
  assert.equal(answer.body.status, 'redirect');
  await onAnotherDevice(browser, { address: answer.body.device.verification_uri, code: answer.body.device.user_code, refuse: true });
  const error = await connecting;
  assert.equal(error.data?.code, 'approval_denied', error.message);
  passed();
});
