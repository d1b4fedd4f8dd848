// Every state of every page, light, dark and on a phone: accessible, quiet, and kept as pictures to look at.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HtmlValidate } from 'html-validate';
import { accessible, launch, person, screenshot } from './lib/browser.mjs';
import { v1 } from './lib/clients.mjs';
import { connectAndApprove, use } from './lib/house.mjs';
import { until } from './lib/proxy.mjs';

const markup = new HtmlValidate({
  extends: ['html-validate:recommended'],
  rules: { 'no-trailing-whitespace': 'off', 'no-implicit-button-type': 'off', 'long-title': 'off', 'require-sri': 'off', 'doctype-style': 'off' },
});

const looks = [
  ['light', { viewport: { width: 1200, height: 900 } }],
  ['dark', { viewport: { width: 1200, height: 900 }, colorScheme: 'dark' }],
  ['phone', { viewport: { width: 360, height: 740 } }],
];

/// Looks at an address in each of the looks; `says` must be on it, and nothing that belongs to another state.
async function look(pages, name, address, { says, not = [] }) {
  for (const [kind, page] of Object.entries(pages)) {
    await page.goto(address);
    const words = await page.locator('body').innerText();
    for (const part of says) assert.ok(words.includes(part), `${name}: the page must say "${part}":\n${words}`);
    for (const part of ['`', ...not]) assert.ok(!words.includes(part), `${name}: the page must not say "${part}":\n${words}`);
    await screenshot(page, `state-${name}-${kind}`);
    await accessible(page, `${name}, ${kind}`);
    assert.deepEqual(page.complaints, [], `${name}, ${kind}`);
    const served = await (await page.request.get(address)).text();
    const report = await markup.validateString(served);
    assert.deepEqual(report.results.flatMap((r) => r.messages.map((m) => `${m.line}:${m.column} ${m.ruleId}: ${m.message}`)), [], `${name}: the markup`);
  }
}

async function pagesOf(t) {
  const browser = await launch(t);
  const pages = {};
  for (const [kind, options] of looks) pages[kind] = await person(browser, options);
  return pages;
}

/// Something that asks, and does not mind how it ends.
function ask(url) {
  const client = v1(url, { info: { name: 'cursor', version: '1.0.0' } });
  const asking = client.open();
  asking.catch(() => {});
  return client;
}
const approvalOf = (proxy, upstream, kind) => until(async () => (await proxy.waiting()).find((a) => a.upstream === upstream && (!kind || a.kind === kind)),
  { what: `an approval of ${upstream}` });

test('each state of the approval page', { timeout: 240_000 }, async (t) => {
  const { as, proxy, url, passed } = await use(t, {
    as: { device: true }, proxy: { template: 'states.yaml', values: { lifetime: '5m' } }, path: '',
    proxyValues: (server) => ({ issuer: server.issuer }),
  });
  const pages = await pagesOf(t);

  const client = v1(`${url}/files`, { info: { name: 'cursor', version: '1.0.0' } });
  ask(`${url}/wiki`);
  const wiki = await approvalOf(proxy, 'wiki');
  await look(pages, 'login', wiki.link, { says: ['Sign in to wiki?', 'cursor', 'Newly requested'], not: ['Look twice'] });
  const opening = client.open();
  opening.catch(() => {});
  const approval = await approvalOf(proxy, 'files');
  await proxy.approve(approval.id);
  await opening;
  await look(pages, 'approved', approval.link, { says: ['Signed in to files'], not: ['Newly requested', 'Approve and go'] });

  const admin = client.callTool({ name: 'admin', arguments: {} });
  admin.catch(() => {});
  const stepUp = await approvalOf(proxy, 'files', 'step_up');
  await look(pages, 'step-up', stepUp.link, { says: ['Allow more on files?', 'mcp:admin', 'Already granted', 'cursor'] });
  await proxy.deny(stepUp.id);
  for (const page of Object.values(pages)) await page.getByText('You said no').waitFor(); // they follow by themselves
  await look(pages, 'denied', stepUp.link, { says: ['You said no', 'Was requested'], not: ['waits until you decide', 'Newly'] });

  const echo = client.callTool({ name: 'echo', arguments: { message: 'delete everything', count: 3 } });
  echo.catch(() => {});
  const call = await approvalOf(proxy, 'files', 'call');
  await look(pages, 'call', call.link, { says: ['Send this call to files?', 'delete everything', `mcp-reauth approve ${call.id}`] });

  ask(`${url}/tickets`);
  const idp = await approvalOf(proxy, 'tickets');
  assert.equal(idp.kind, 'idp_login');
  await look(pages, 'idp-login', idp.link, { says: ['Sign in with your organization for tickets?'] });

  ask(`${url}/printer`);
  const device = await approvalOf(proxy, 'printer');
  const begun = await proxy.api(`/api/approvals/${device.id}/approve`, { method: 'POST', body: '{}' });
  assert.ok(begun.body.device?.user_code, JSON.stringify(begun.body));
  await look(pages, 'device', device.link, { says: ['Sign in on any device', begun.body.device.user_code] });

  const gone = await proxy.api(`/api/approvals/${wiki.id}/approve`, { method: 'POST', body: '{}' });
  const state = new URL(gone.body.location).searchParams.get('state');
  const back = `${proxy.approvals}/oauth/callback?error=server_error&error_description=the+database+is+gone&state=${state}&iss=${encodeURIComponent(as.issuer)}`;
  await look({ light: pages.light }, 'callback-failed', back, { says: ['the database is gone'] }).catch((e) => {
    if (!/complained|complaints|400/.test(String(e))) throw e;
  });
  pages.light.complaints.length = 0;
  await look(pages, 'failed', wiki.link, { says: ['The sign-in to wiki did not work'], not: ['Approve and go'] });
  await client.close().catch(() => {});
  passed();
});

test('an approval that nobody decided, and the dashboard empty and full', { timeout: 240_000 }, async (t) => {
  const { as, proxy, url, passed } = await use(t, {
    as: { device: true }, proxy: { template: 'states.yaml', values: { lifetime: '10s' } }, path: '',
    proxyValues: (server) => ({ issuer: server.issuer }),
  });
  const pages = await pagesOf(t);
  for (const [kind, page] of Object.entries(pages)) {
    const { stdout } = await proxy.cli('open');
    await page.goto(stdout.trim());
    await page.getByText('Nothing waits for you').waitFor();
    await page.getByText('claude mcp add').first().waitFor();
    await screenshot(page, `state-dashboard-empty-${kind}`);
    await accessible(page, `the empty dashboard, ${kind}`);
  }
  const client = v1(`${url}/files`, { info: { name: 'cursor', version: '1.0.0' } });
  await connectAndApprove(proxy, client);
  ask(`${url}/wiki`);
  const wiki = await approvalOf(proxy, 'wiki');
  client.callTool({ name: 'echo', arguments: { message: 'hello' } }).catch(() => {});
  client.callTool({ name: 'admin', arguments: {} }).catch(() => {});
  const stepUp = await approvalOf(proxy, 'files', 'step_up');
  await proxy.deny(stepUp.id);
  ask(`${url}/tickets`);
  await approvalOf(proxy, 'tickets');
  for (const [kind, page] of Object.entries(pages)) {
    await page.getByText('Organization sign-in for tickets').waitFor();
    await page.getByText('One call to files').waitFor();
    await page.getByRole('cell', { name: 'denied' }).first().waitFor();
    const words = await page.locator('body').innerText();
    for (const part of [`${proxy.origin}/files`, 'Connect a client', 'Recently', 'cursor']) assert.ok(words.includes(part), `${part}:\n${words}`);
    await screenshot(page, `state-dashboard-full-${kind}`);
    await accessible(page, `the full dashboard, ${kind}`);
    assert.deepEqual(page.complaints, [], `the dashboard, ${kind}`);
  }
  await until(async () => (await proxy.api(`/api/approvals/${wiki.id}`)).body.status === 'expired', { what: 'the expiry', ms: 20_000 });
  await look(pages, 'expired', wiki.link, { says: ['Nobody decided in time', "next request asks again"], not: ['Newly requested', 'Nobody decided in time. '] });
  assert.ok(as.counts);
  await client.close().catch(() => {});
  passed();
});
