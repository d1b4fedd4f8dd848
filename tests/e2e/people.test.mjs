// People at the page: each signs in with the company, sees and decides what is theirs; operators see all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, launch, person, screenshot, throughProvider } from './lib/browser.mjs';
import { said, v1 } from './lib/clients.mjs';
import { startCompany } from './lib/company.mjs';
import { startMcpServer } from './lib/mcp_server.mjs';
import { freePorts, makeProxy, until } from './lib/proxy.mjs';

const audience = 'https://gate.acme.example';

async function usePeople(t) {
  const [approvalPort] = await freePorts(1);
  const publicUrl = `http://127.0.0.1:${approvalPort}`;
  const company = await startCompany({
    audience, groups: { ada: ['staff'], grace: ['staff'], root: ['admins'] },
    people: { grace: { name: '<b>Grace</b>', email: '<i>grace</i>@acme.example' } },
    gate: {
      redirect_uris: [`${publicUrl}/oauth/callback`], response_types: ['code'], grant_types: ['authorization_code'],
      backchannel_logout_uri: `${publicUrl}/oauth/backchannel-logout/acme`, backchannel_logout_session_required: true,
    },
  });
  t.after(() => company.close());
  const rs = await startMcpServer({ authorizationServer: company.as });
  t.after(() => rs.close());
  const proxy = await makeProxy({ template: 'people.yaml', upstreamUrl: rs.url, approvalPort, values: { idp: company.idp.issuer, audience } });
  let failed = true;
  t.after(async () => {
    if (failed) t.diagnostic(`the proxy's log ends with:\n${proxy.log.split('\n').slice(-25).join('\n')}`);
    await proxy.close();
  });
  await proxy.start();
  const client = async (name) => v1(`${proxy.origin}/files`, {
    transport: { requestInit: { headers: { Authorization: `Bearer ${await company.token(name)}`, 'X-Person': name } } },
  });
  return { company, rs, proxy, client, passed: () => { failed = false; } };
}

const approvalOf = (proxy, name) => until(async () => (await proxy.waiting()).find((a) => a.principal === `acme/${name}`), { what: `an approval of ${name}` });
const dashboard = async (page, proxy, account) => {
  await page.goto(`${proxy.approvals}/`);
  await Promise.all([page.waitForURL(/\/interaction\//), page.getByRole('link', { name: 'Sign in' }).click()]);
  await throughProvider(page, { account });
  await page.getByText('Signed in as').waitFor();
};

test('whoever opens a link signs in with the company; only whose it is may decide', { timeout: 120_000 }, async (t) => {
  const { rs, proxy, client, passed } = await usePeople(t);
  const browser = await launch(t);
  const ada = await client('ada');
  const opening = ada.open();
  opening.catch(() => {});
  const asked = await approvalOf(proxy, 'ada');

  // somebody else opens it
  const stranger = await person(browser, { viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
  await stranger.goto(asked.link);
  assert.match(stranger.url(), /\/interaction\//, 'nobody sees anything before they have signed in');
  await throughProvider(stranger, { account: 'grace' });
  await stranger.getByText('This is somebody else').waitFor();
  assert.equal(new URL(stranger.url()).pathname, new URL(asked.link).pathname);
  const said403 = await stranger.locator('body').innerText();
  assert.ok(said403.includes('<i>grace</i>@acme.example'), 'names are text, whatever they hold');
  assert.ok(!said403.includes('ada'));
  await screenshot(stranger, 'people-somebody-elses-phone-dark');
  await accessible(stranger, 'somebody else\'s approval');
  // … and tries it by hand
  const status = (path, init) => stranger.evaluate(async ([p, i]) => (await fetch(p, { credentials: 'same-origin', ...i })).status, [path, init]);
  const path = new URL(asked.link).pathname;
  for (const verb of ['approve', 'deny']) assert.equal(await status(`${path}/${verb}`, { method: 'POST' }), 403);
  assert.equal(await status(`/api/approvals/${asked.id}`), 404);
  assert.equal(await status(`/api/approvals/${asked.id}/deny`, { method: 'POST', body: '{}' }), 404);
  assert.equal(await status('/api/logout', { method: 'POST', body: JSON.stringify({ principal: 'acme/ada' }) }), 403);
  assert.equal(await status('/api/login', { method: 'POST', body: JSON.stringify({ upstream: 'files', principal: 'acme/ada' }) }), 403);
  assert.equal(await status('/api/open', { method: 'POST', body: '{}' }), 403);

  // whose it is
  const page = await person(browser, { viewport: { width: 1200, height: 800 } });
  await page.goto(asked.link);
  await throughProvider(page, { account: 'ada' });
  await page.getByText('Signed in as').waitFor();
  await screenshot(page, 'people-mine');
  await accessible(page, 'an approval of mine');
  await Promise.all([page.waitForURL(/\/interaction\//), page.getByRole('button', { name: /^Approve/ }).click()]);
  await throughProvider(page, { account: 'ada' });
  await page.getByText('You are ada there').waitFor();
  await opening;
  assert.equal(said(await ada.callTool({ name: 'echo', arguments: { message: 'hi' } })), 'hi');

  // what completes without a provider's login needs the person, and the person is enough
  const slow = ada.callTool({ name: 'slow', arguments: { ms: 1 } });
  slow.catch(() => {});
  const call = await approvalOf(proxy, 'ada');
  await page.goto(call.link);
  await screenshot(page, 'people-my-call');
  await accessible(page, 'a call of mine');
  await page.getByRole('button', { name: /^Approve/ }).click();
  assert.equal(said(await slow), 'after 1 ms');
  assert.equal((await proxy.api(`/api/approvals/${call.id}`)).body.decided_by, 'acme/ada');
  assert.ok((await proxy.api('/api/history')).body.history.some((e) => e.how === 'call approved' && e.by === 'acme/ada'));

  // another account than before comes back
  await page.goto(`${proxy.approvals}/`);
  await page.getByRole('button', { name: 'Sign in again' }).click();
  await page.getByText('Signed in before as').waitFor();
  await page.context().clearCookies({ domain: '127.0.0.1', name: /_session/ }); // at the server's provider she is nobody now
  await Promise.all([page.waitForURL(/\/interaction\//), page.getByRole('button', { name: /^Approve/ }).click()]);
  await throughProvider(page, { account: 'ada-at-home' });
  await page.getByText('This is another account than before').waitFor();
  await screenshot(page, 'people-another-account');
  await accessible(page, 'another account');
  assert.deepEqual(page.complaints, []);
  assert.equal(rs.counts.tools.slow, 1);
  await ada.close();
  passed();
});

for (const [name, options] of [['wide', { viewport: { width: 1200, height: 800 } }], ['phone-dark', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }]]) {
  test(`the dashboard shows each what is theirs, and operators everything, ${name}`, { timeout: 120_000 }, async (t) => {
    const { company, proxy, client, passed } = await usePeople(t);
    const browser = await launch(t);
    const clients = { ada: await client('ada'), grace: await client('grace') };
    for (const c of Object.values(clients)) c.open().catch(() => {}); // they give up before anybody decides
    await approvalOf(proxy, 'ada');
    await approvalOf(proxy, 'grace');

    const mine = await person(browser, options);
    await mine.goto(`${proxy.approvals}/`);
    await mine.getByText('Sign in to see what is yours').waitFor();
    await screenshot(mine, `people-signed-out-${name}`);
    await accessible(mine, 'the dashboard before the sign-in');
    await dashboard(mine, proxy, 'grace');
    await mine.getByText('Sign in to files').waitFor();
    const words = await mine.locator('body').innerText();
    assert.ok(words.includes('acme/grace') && !words.includes('acme/ada'), words);
    assert.ok(words.includes('<i>grace</i>@acme.example'));
    assert.ok(!words.includes('End identity'));
    await screenshot(mine, `people-dashboard-mine-${name}`);
    await accessible(mine, 'my dashboard');

    const all = await person(browser, options);
    await dashboard(all, proxy, 'root');
    await all.getByText('acme/ada').first().waitFor();
    const everything = await all.locator('body').innerText();
    assert.ok(everything.includes('acme/grace') && everything.includes('Operator: you see everything'));
    await all.getByRole('button', { name: 'End identity of acme/ada' }).click();
    // the dashboard draws itself anew meanwhile, and asks all the same
    const before = await all.locator('#waiting article').count();
    const another = await proxy.api('/api/login', { method: 'POST', body: JSON.stringify({ upstream: 'files', principal: 'acme/root' }) });
    await until(async () => await all.locator('#waiting article').count() > before, { what: 'the dashboard to show one more' });
    await all.getByRole('button', { name: 'Really end it everywhere? of acme/ada' }).waitFor();
    await proxy.api(`/api/approvals/${another.body.id}/deny`, { method: 'POST', body: '{}' });
    await screenshot(all, `people-dashboard-operator-${name}`);
    await accessible(all, 'an operator\'s dashboard');
    await all.getByRole('button', { name: 'Really end it everywhere?' }).click();
    await until(async () => (await proxy.waiting()).map((a) => a.principal).join() === 'acme/grace', { what: 'her approval to end' });

    // the provider is down: who is signed in stays so, nobody else comes in
    company.idp.pause(true);
    const late = await person(browser, options);
    await late.goto(`${proxy.approvals}/sign-in`);
    const unavailable = await late.locator('body').innerText();
    // its metadata is known already, so the person may be sent on to a provider that does not answer
    assert.ok(/Nobody can sign in at the moment|temporarily_unavailable/.test(unavailable), unavailable);
    await mine.reload();
    await mine.getByText('Signed in as').waitFor();
    company.idp.pause(false);

    // signed out here
    const cookie = (await mine.context().cookies()).find((c) => c.name === 'mcp-reauth');
    assert.ok(cookie.httpOnly && cookie.sameSite === 'Lax');
    assert.ok(!Buffer.from(cookie.value, 'base64url').toString('latin1').includes('grace'), 'the cookie is sealed');
    await mine.getByRole('button', { name: 'Sign out', exact: true }).click();
    await mine.getByText('Sign in to see what is yours').waitFor();
    const stolen = await fetch(`${proxy.approvals}/api/me`, { headers: { cookie: `mcp-reauth=${cookie.value}` } });
    assert.equal(stolen.status, 401, 'a copy of the cookie is worth nothing any more');
    // whoever is signed in ends what is theirs, this session too
    await all.getByRole('button', { name: 'End all of my access' }).click();
    await all.getByRole('button', { name: 'Really end all of it?' }).click();
    await all.getByText('Sign in to see what is yours').waitFor();
    assert.deepEqual(mine.complaints.filter((c) => !/401/.test(c)), []);
    assert.deepEqual(all.complaints.filter((c) => !/401/.test(c)), []);
    for (const c of Object.values(clients)) await c.close();
    passed();
  });
}
