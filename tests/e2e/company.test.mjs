// Who calls is known: two people with tokens of their company before three of its servers, each as themselves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectable, said, v1 } from './lib/clients.mjs';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { startCompany } from './lib/company.mjs';
import { startMcpServer } from './lib/mcp_server.mjs';
import { signIn } from './lib/person.mjs';
import { freePorts, makeProxy } from './lib/proxy.mjs';

const names = ['files', 'mail', 'wiki'];

/// The company, its servers and the proxy before them.
async function useCompany(t, { audience, groups, port, grant } = {}) {
  const company = await startCompany({ audience, groups });
  t.after(() => company.close());
  const servers = {};
  for (const name of names) {
    servers[name] = await startMcpServer({ authorizationServer: company.as });
    t.after(() => servers[name].close());
  }
  const minted = `grant: enterprise, subject: caller, identity_provider: acme, client: {id: gate-at-servers, secret: another secret of the gate, issuer: "${company.as.issuer}"}`;
  const upstreams = names.map((name) => `  ${name}: {url: "${servers[name].url}", ${grant ?? minted}}`).join('\n');
  const proxy = await makeProxy({ template: 'company.yaml', values: { idp: company.idp.issuer, audience, upstreams, ...(port && { port }) } });
  let failed = true;
  t.after(async () => {
    if (failed) t.diagnostic(`the proxy's log ends with:\n${proxy.log.split('\n').slice(-25).join('\n')}\n${JSON.stringify(company.counts.refused)} ${JSON.stringify(company.as.counts.errors)} ${JSON.stringify(company.idp.counts.errors)}`);
    await proxy.close();
  });
  await proxy.start();
  return { company, servers, proxy, passed: () => { failed = false; } };
}

const as = (proxy, name, person, token) => v1(`${proxy.origin}/${name}`, {
  transport: { requestInit: { headers: { Authorization: `Bearer ${token}`, 'X-Person': person } } },
});

test('two people, three servers, 20 expiries each: every request with its own person\'s token, no login, no error', { timeout: 180_000 }, async (t) => {
  const audience = 'https://gate.acme.example';
  const { company, servers, proxy, passed } = await useCompany(t, { audience, groups: { ada: ['admins', 'staff-of-it'], grace: ['staff'] } });
  const clients = {};
  for (const person of ['ada', 'grace']) {
    const token = await company.token(person);
    for (const name of names) {
      const client = as(proxy, name, person, token);
      await client.open();
      clients[`${person} ${name}`] = client;
    }
  }
  assert.deepEqual(await proxy.waiting(), [], 'nobody is asked to sign in');

  const enough = () => names.every((name) => ['ada', 'grace'].every((person) => (servers[name].counts.people[person]?.tokens.size ?? 0) > 20));
  let calls = 0;
  for (const end = Date.now() + 100_000; !enough(); calls++) {
    assert.ok(Date.now() < end, 'expiries come');
    const pause = new Promise((resolve) => setTimeout(resolve, 250));
    await Promise.all(Object.entries(clients).map(async ([whose, client]) =>
      assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: `${whose} ${calls}` } })), `${whose} ${calls}`)));
    await pause;
  }

  // step-up: silent for admins, denied to staff, else confirmed
  assert.equal(said(await clients['ada files'].callTool({ name: 'admin', arguments: {} })), 'administered');
  await assert.rejects(clients['grace wiki'].callTool({ name: 'admin', arguments: {} }), (e) => e.data?.code === 'denied_by_policy');
  for (const person of ['ada', 'grace']) {
    const call = clients[`${person} mail`].callTool({ name: 'admin', arguments: {} });
    call.catch(() => {});
    const approval = await proxy.oneApproval();
    assert.equal(approval.principal, `acme/${person}`);
    assert.deepEqual(approval.scopes.added, ['mcp:admin']);
    assert.equal((await proxy.approve(approval.id)).status, 'done', 'no login: what the caller has shown is enough');
    assert.equal(said(await call), 'administered');
  }

  for (const [whose, client] of Object.entries(clients)) {
    assert.deepEqual(client.problems, [], `errors that ${whose} saw`);
    await client.close();
  }
  // a token that somebody has changed is nobody's, and stands in no log
  const [head, claims, signature] = (await company.token('ada')).split('.');
  const forged = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, 'base64url')), sub: 'grace' })).toString('base64url');
  const refused = await fetch(`${proxy.origin}/files`, { method: 'POST', body: '{}', headers: { Authorization: `Bearer ${head}.${forged}.${signature}` } });
  assert.equal(refused.status, 401);
  assert.match(refused.headers.get('www-authenticate'), /error_description="signature"/);
  assert.ok(!(await refused.text()).includes(forged));
  for (const name of names) {
    assert.equal(servers[name].counts.mixed, 0, `requests at ${name} with another person's token`);
    assert.equal(servers[name].counts.tools.echo, 2 * calls, `each call reached ${name} once`);
  }
  assert.equal(company.idp.counts.authorizations, 3, 'people have signed in at the company alone');
  assert.equal(company.as.counts.authorizations, 0);
  assert.equal(company.counts.exchanges, company.counts.assertions);
  assert.deepEqual(company.counts.refused, []);
  assert.ok(!proxy.log.includes('eyJ'), 'no token in the log');
  t.diagnostic(`${company.counts.exchanges} tokens minted for ${6 * calls} calls`);
  passed();
});

test('where the exchange wants a person, that person is asked, the request held and sent again', { timeout: 60_000 }, async (t) => {
  const audience = 'https://gate.acme.example';
  const { company, servers, proxy, passed } = await useCompany(t, {
    audience, groups: {}, grant: 'grant: token_exchange, exchange: {identity_provider: acme}, fallback: interactive',
  });
  const people = {};
  for (const person of ['ada', 'grace']) {
    people[person] = as(proxy, 'files', person, await company.token(person));
    const opening = people[person].open();
    opening.catch(() => {});
    const approval = await proxy.oneApproval();
    assert.equal(approval.kind, 'login');
    assert.equal(approval.principal, `acme/${person}`);
    await proxy.approve(approval.id, { account: person });
    await opening;
  }
  for (let i = 0; i < 6; i++) {
    for (const [person, client] of Object.entries(people))
      assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: `${person} ${i}` } })), `${person} ${i}`);
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
  for (const client of Object.values(people)) {
    assert.deepEqual(client.problems, []);
    await client.close();
  }
  assert.equal(servers.files.counts.mixed, 0);
  assert.equal(company.as.counts.authorizations, 2, 'each has signed in once at the server\'s own');
  assert.ok(company.as.counts.refreshes >= 2, 'what a login has brought is refreshed');
  assert.deepEqual(await proxy.waiting(), []);
  passed();
});

test('a client that speaks OAuth signs in to the company once, and to no server', { timeout: 60_000 }, async (t) => {
  const [port] = await freePorts(1);
  const audience = `http://127.0.0.1:${port}`;
  const { company, servers, proxy, passed } = await useCompany(t, { audience, port, groups: {} });
  const kept = {};
  const redirectUrl = 'http://127.0.0.1:1/callback';
  const authProvider = {
    redirectUrl,
    clientMetadata: { client_name: 'speaks OAuth', redirect_uris: [redirectUrl], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none', scope: 'mcp' },
    clientInformation: () => kept.client,
    saveClientInformation: (c) => { kept.client = c; },
    tokens: () => kept.tokens,
    saveTokens: (tokens) => { kept.tokens = tokens; },
    redirectToAuthorization: (url) => { kept.url = url; },
    saveCodeVerifier: (v) => { kept.verifier = v; },
    codeVerifier: () => kept.verifier,
  };
  const open = (name) => {
    const transport = new StreamableHTTPClientTransport(new URL(`${proxy.origin}/${name}`), { authProvider, requestInit: { headers: { 'X-Person': 'ada' } } });
    return connectable(new Client({ name: 'speaks OAuth', version: '1' }, { capabilities: {} }), transport);
  };
  const first = open('files');
  await assert.rejects(first.open(), UnauthorizedError);
  assert.equal(kept.url.origin, company.idp.issuer, 'it is sent to the company');
  const { callback } = await signIn(kept.url.href, { account: 'ada', stopAt: redirectUrl });
  await first.transportUnderTest.finishAuth(new URL(callback).searchParams.get('code'));
  for (const name of names) {
    const client = open(name);
    await client.open();
    assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: name } })), name);
    assert.deepEqual(client.problems, []); // what is under way at its end it calls aborted itself
    await client.close();
    assert.equal(servers[name].counts.mixed, 0);
  }
  assert.equal(company.idp.counts.authorizations, 1);
  assert.deepEqual(await proxy.waiting(), []);
  passed();
});
