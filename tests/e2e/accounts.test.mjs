// Two accounts at one server: each is a credential of its own, through `serve` and `stdio`, for clients that know nothing of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { said, v1 } from './lib/clients.mjs';
import { use } from './lib/house.mjs';
import { signIn } from './lib/person.mjs';
import { program, stdioV1 } from './lib/stdio.mjs';

const upstream = `    scopes: [openid, "mcp:tools", offline_access]
    accounts:
      work: {login_hint: ada}
      personal: {login_hint: grace, authorize_params: {prompt: consent}}`;

/// Connects as that person and gives the page that the provider has led back to.
async function open(proxy, url, account) {
  const client = v1(url, { transport: { requestInit: { headers: { 'X-Person': account } } } });
  const connecting = client.open();
  connecting.catch(() => {});
  const asked = await proxy.oneApproval();
  const answer = await proxy.api(`/api/approvals/${asked.id}/approve`, { method: 'POST', body: '{}' });
  return { client, connecting, asked, location: new URL(answer.body.location) };
}

test('two accounts at one server, each as itself; the first is the one without a name', { timeout: 120_000 }, async (t) => {
  const { as, rs, proxy, passed } = await use(t, { proxy: { values: { upstream, refresh_ahead: '0s' } } });
  const work = await open(proxy, `${proxy.origin}/files@work`, 'ada');
  assert.equal(work.asked.upstream, 'files@work');
  assert.equal(work.location.searchParams.get('login_hint'), 'ada');
  assert.match(work.location.searchParams.get('prompt'), /select_account/);
  // this provider knows no choice of accounts, and says so: the next try does without
  const first = await signIn(work.location.href, { account: 'ada' });
  assert.match(first.body, /approve once more/);
  const again = await proxy.api(`/api/approvals/${work.asked.id}/approve`, { method: 'POST', body: '{}' });
  assert.ok(!/select_account/.test(again.body.location), again.body.location);
  const done = await signIn(again.body.location, { account: 'ada' });
  assert.match(done.body, /Signed in to files@work/);
  assert.match(done.body, /You are ada there/);
  await work.connecting;

  const personal = await open(proxy, `${proxy.origin}/files@personal`, 'grace');
  assert.equal(personal.location.searchParams.get('login_hint'), 'grace');
  assert.equal(personal.location.searchParams.get('prompt'), 'consent', 'what the configuration says stays');
  assert.match((await signIn(personal.location.href, { account: 'grace' })).body, /You are grace there/);
  await personal.connecting;

  // /files is the first of them: nobody is asked
  const plain = v1(`${proxy.origin}/files`, { transport: { requestInit: { headers: { 'X-Person': 'ada' } } } });
  await plain.open();
  for (let i = 0; i < 6; i++) {
    for (const [name, client] of Object.entries({ work: work.client, personal: personal.client, plain }))
      assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: `${name} ${i}` } })), `${name} ${i}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  assert.ok(as.counts.refreshes >= 2);
  assert.equal(rs.counts.mixed, 0, 'no request with the other account\'s token');

  // on the command line, in the API, in the metrics
  const status = await proxy.cli('status');
  assert.match(status.stdout, /files@work\s+local\s+ada/);
  assert.match(status.stdout, /files@personal\s+local\s+grace/);
  assert.match((await proxy.cli('client-config', 'files@personal', '--for', 'cursor')).stdout, /files-personal[^]*\/files@personal/);
  assert.match(await proxy.metrics(), /mcp_reauth_credentials{upstream="files@personal"} 1/);
  const explained = await proxy.cli('explain', 'files', '--status', '401');
  assert.equal(explained.code, 0, explained.stderr);
  assert.equal((await fetch(`${proxy.origin}/files@nobody`, { method: 'POST' })).status, 404);

  // another one comes back than before: it is told, on the page and to whoever asks
  await work.client.close();
  const login = await proxy.api('/api/login', { method: 'POST', body: JSON.stringify({ upstream: 'files' }) });
  const approved = await proxy.api(`/api/approvals/${login.body.id}/approve`, { method: 'POST', body: '{}' });
  const page = await fetch(login.body.link);
  assert.match(await page.text(), /Signed in before as[^]*ada/);
  const other = await signIn(approved.body.location, { account: 'grace' });
  assert.match(other.body, /This is another account than before, which was ada/);
  assert.match((await proxy.cli('status')).stdout, /files@work\s+local\s+grace/);
  await personal.client.close();
  await plain.close();
  passed();
});

test('through stdio each client has the account that it was started with', { timeout: 60_000 }, async (t) => {
  const { rs, proxy, passed } = await use(t, { proxy: { values: { upstream } } });
  const login = async (name, account) => {
    const asked = await proxy.api('/api/login', { method: 'POST', body: JSON.stringify({ upstream: name }) });
    assert.equal(asked.status, 200, JSON.stringify(asked.body));
    for (let i = 0; i < 2; i++) {
      const end = await proxy.approve(asked.body.id, { account });
      if (/Signed in to/.test(end.body)) return;
    }
    assert.fail('not signed in');
  };
  await login('files@work', 'ada');
  await login('files@personal', 'grace');
  for (const [args, account] of [[['--account', 'personal'], 'grace'], [['--account', 'work'], 'ada'], [[], 'ada']]) {
    const client = stdioV1(program(proxy, { args }));
    rs.counts.subjects = {};
    await client.open();
    assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: account } })), account);
    await client.close();
    assert.deepEqual(Object.keys(rs.counts.subjects), [account], 'whose token the server has seen');
  }
  const { code, stderr } = await proxy.cli('stdio', 'files', '--account', 'wrok');
  assert.equal(code, 2);
  assert.match(stderr, /no account 'wrok'.*did you mean 'work'/);
  passed();
});
