// Run by fleet.test.mjs. The company says that it is over: one of two people signs out at the provider, and at every replica nothing of theirs is left.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { said, v1 } from '../e2e/lib/clients.mjs';
import { startCompany } from '../e2e/lib/company.mjs';
import { startMcpServer } from '../e2e/lib/mcp_server.mjs';
import { signIn } from '../e2e/lib/person.mjs';
import { until } from '../e2e/lib/proxy.mjs';
import { makeFleet, pause } from './lib.mjs';

const audience = 'https://gate.acme.example';

/// Three replicas, a company whose provider knows where to send logout tokens, and a second server.
async function makeCompanyFleet(t) {
  let company, wiki;
  const fleet = await makeFleet(t, {
    template: 'identity.yaml',
    prepare: async ({ as, publicUrl }) => {
      company = await startCompany({
        audience, groups: { ada: ['staff'], grace: ['staff'], root: ['admins'] },
        gate: {
          redirect_uris: [`${publicUrl}/oauth/callback`], response_types: ['code'], grant_types: ['authorization_code'],
          backchannel_logout_uri: `${publicUrl}/oauth/backchannel-logout/acme`, backchannel_logout_session_required: true,
        },
      });
      wiki = await startMcpServer({ authorizationServer: as, heartbeat: 5000 });
      return { parts: [company, wiki], values: { audience, idp: company.idp.issuer, wiki_url: wiki.url } };
    },
  });
  return { ...fleet, company, wiki };
}

const as = (origin, name, person, token) => v1(`${origin}/${name}`, {
  transport: { requestInit: { headers: { Authorization: `Bearer ${token}`, 'X-Person': person } } },
});
const echo = (client, message) => client.callTool({ name: 'echo', arguments: { message } }).then(said);
const rowsOf = (person) => execFileSync('psql', ['-qtA', '-d', process.env.REAUTH_TEST_DSN, '-c',
  `SELECT kind || ' ' || key FROM mcp_reauth_records WHERE key LIKE '%acme/${person}%' ORDER BY 1`], { encoding: 'utf8' }).trim().split('\n').filter(Boolean);

/// A person with a browser: signed in at the company, at the gate's page, and at the server.
async function settle(fleet, person) {
  const { replicas: [, b], company, publicUrl } = fleet;
  const browser = new Map();
  const token = await company.token(person, browser);
  const page = await signIn(`${publicUrl}/sign-in`, { account: person, cookies: browser });
  assert.equal(page.status, 200);
  const cookie = browser.get(new URL(publicUrl).host).get('mcp-reauth');
  assert.ok(cookie, 'the page knows who it is');
  const me = await (await fetch(`${publicUrl}/api/me`, { headers: { cookie: `mcp-reauth=${cookie}` } })).json();
  assert.equal(me.principal, `acme/${person}`);
  assert.equal(me.operator, false);
  const client = as(b.origin, 'files', person, token);
  const opening = client.open();
  opening.catch(() => {});
  const asked = await until(async () => (await b.waiting()).find((a) => a.principal === `acme/${person}`), { what: 'the approval' });
  await b.approve(asked.id, { account: person });
  await opening;
  assert.equal(await echo(client, person), person);
  return { person, token, browser, cookie, client };
}

test('one person signs out at the company: held request, streams, rows and tokens end at three replicas; the other sees nothing', { timeout: 120_000 }, async (t) => {
  const fleet = await makeCompanyFleet(t);
  const { replicas, company, publicUrl } = fleet;
  const ada = await settle(fleet, 'ada'), grace = await settle(fleet, 'grace');

  // ada: a request that is held at the first replica, and streams at all of them
  const asking = as(replicas[0].origin, 'files', 'ada', ada.token);
  await asking.open();
  const held = asking.callTool({ name: 'admin', arguments: {} }).then(() => undefined, (error) => error);
  const waiting = await until(async () => (await replicas[2].waiting()).find((a) => a.principal === 'acme/ada'), { what: 'the held request\'s approval' });
  const streams = await Promise.all(replicas.flatMap((replica) => [ada, grace].map(async (who) => {
    const mine = as(replica.origin, 'files', who.person, who.token);
    await mine.open();
    const session = mine.transportUnderTest.sessionId;
    await mine.close();
    const ended = { who: who.person, at: replica.name, over: false };
    const answer = await fetch(`${replica.origin}/files`, { headers: { accept: 'text/event-stream', authorization: `Bearer ${who.token}`, 'x-person': who.person, 'mcp-session-id': session } });
    ended.status = answer.status;
    ended.reading = (async () => { try { for await (const part of answer.body) void part; } catch { /* cut */ } ended.over = Date.now(); })();
    return ended;
  })));
  for (const stream of streams) assert.equal(stream.status, 200);
  const graceCalls = { stop: false, errors: [], n: 0 };
  const going = (async () => {
    while (!graceCalls.stop) {
      await echo(grace.client, `g${graceCalls.n}`).then(() => graceCalls.n++, (e) => graceCalls.errors.push(String(e)));
    }
  })();
  const revoked = fleet.as.counts.revokedGrants;

  const began = Date.now();
  await company.signOut(ada.browser);
  assert.deepEqual(company.counts.refused, []);
  assert.deepEqual(company.counts.told, ['gate of ada'], 'the provider has told the gate');

  const error = await held;
  const told = Date.now() - began;
  assert.equal(error?.data?.code, 'identity_ended', String(error));
  await until(() => streams.filter((s) => s.who === 'ada').every((s) => s.over), { what: 'her streams to be cut' });
  const cut = Date.now() - began;
  for (const replica of replicas) {
    await until(async () => (await fetch(`${replica.origin}/files`, { method: 'POST', body: '{}', headers: { authorization: `Bearer ${ada.token}` } })).status === 401, { what: `${replica.name} to refuse her token` });
    assert.equal((await replica.waiting()).filter((a) => a.principal === 'acme/ada').length, 0);
    const me = await fetch(`${replica.approvals}/api/me`, { headers: { cookie: `mcp-reauth=${ada.cookie}`, host: new URL(publicUrl).host } });
    assert.equal(me.status, 401, 'her session at the page is over');
  }
  const refused = Date.now() - began;
  await until(() => fleet.as.counts.revokedGrants > revoked, { what: 'her tokens to be revoked' });
  t.diagnostic(`after the sign-out: the held request was answered within ${told} ms, streams cut within ${cut} ms, her token refused at all three within ${refused} ms`);
  const late = await replicas[1].api(`/api/approvals/${waiting.id}/approve`, { method: 'POST', body: '{}' });
  assert.equal(late.status, 409);

  const rows = rowsOf('ada');
  assert.ok(rows.some((row) => row.startsWith('identity_end principal')), rows.join('\n'));
  for (const replica of replicas) {
    const mine = (await replica.api('/api/credentials')).body.credentials.filter((c) => c.principal === 'acme/ada');
    assert.ok(mine.every((c) => !c.held), JSON.stringify(mine));
  }
  graceCalls.stop = true;
  await going;
  assert.deepEqual(graceCalls.errors, []);
  assert.ok(graceCalls.n > 0);
  assert.ok(streams.filter((s) => s.who === 'grace').every((s) => !s.over), 'his streams go on');
  assert.equal((await fetch(`${publicUrl}/api/me`, { headers: { cookie: `mcp-reauth=${grace.cookie}` } })).status, 200);
  assert.equal(fleet.rs.counts.mixed, 0);

  // signed in again she is who she was, and is asked anew; times of tokens are whole seconds
  await pause(1000);
  const again = await settle(fleet, 'ada');
  assert.equal(await echo(again.client, 'back'), 'back');
  for (const replica of replicas) assert.ok(!/eyJ/.test(replica.log), 'no token in the log');
  fleet.passed();
});

test('an operator ends an identity from the command line, at whichever replica', { timeout: 90_000 }, async (t) => {
  const fleet = await makeCompanyFleet(t);
  const { replicas: [a, , c] } = fleet;
  const ada = await settle(fleet, 'ada');
  const { code, stdout, stderr } = await c.cli('logout', '--principal', 'acme/ada');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /The identity acme\/ada has ended here\. .*revoked/);
  await until(async () => (await fetch(`${a.origin}/files`, { method: 'POST', body: '{}', headers: { authorization: `Bearer ${ada.token}` } })).status === 401, { what: 'her token to be refused' });
  const history = (await c.api('/api/history')).body.history;
  assert.ok(history.some((e) => e.how === 'identity ended' && e.principal === 'acme/ada' && e.detail === 'operator'), JSON.stringify(history));
  assert.equal((await c.cli('logout', '--principal', 'nobody')).code, 1);
  assert.equal((await c.cli('logout')).code, 2);
  fleet.passed();
});
