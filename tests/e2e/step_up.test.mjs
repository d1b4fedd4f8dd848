// Step-up: one tool needs a scope that the first login did not ask for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { said, v1 } from './lib/clients.mjs';
import { connectAndApprove, use } from './lib/house.mjs';
import { program, stdioV1 } from './lib/stdio.mjs';

test('a tool that needs more scope waits for one approval with the union, then works without another', { timeout: 60_000 }, async (t) => {
  const { as, rs, proxy, url, passed } = await use(t);
  const client = v1(url);
  await connectAndApprove(proxy, client);

  const calls = Promise.all([1, 2, 3].map(() => client.callTool({ name: 'admin', arguments: {} })));
  calls.catch(() => {});
  const approval = await proxy.oneApproval();
  assert.equal(approval.kind, 'step_up');
  assert.equal(approval.reason, 'insufficient_scope');
  assert.equal(approval.tool, 'admin');
  assert.deepEqual(approval.scopes.added, ['mcp:admin']);
  assert.ok(approval.scopes.granted.includes('mcp:tools'));
  assert.ok(['mcp:tools', 'mcp:admin'].every((s) => approval.scopes.requested.includes(s)), 'the union is requested');
  assert.equal((await proxy.waiting()).length, 1, 'three calls, one question');
  await proxy.approve(approval.id);
  for (const result of await calls) assert.equal(said(result), 'administered');

  await new Promise((resolve) => setTimeout(resolve, 2200)); // the token's life
  assert.equal(said(await client.callTool({ name: 'admin', arguments: {} })), 'administered');
  assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: 'still' } })), 'still');
  assert.equal(as.counts.authorizations, 2, 'the login and the step-up');
  assert.equal(as.counts.registrations, 1);
  assert.equal(as.counts.reuses, 0);
  assert.equal(rs.counts.tools.admin, 4);
  assert.deepEqual(await proxy.waiting(), []);
  await client.close();
  assert.deepEqual(client.problems, []);
  passed();
});

test('what a step-up replaces lives until the sign-out, which ends everything at the server and says so', { timeout: 60_000 }, async (t) => {
  const { as, proxy, url, passed } = await use(t);
  const client = v1(url);
  await connectAndApprove(proxy, client);
  const call = client.callTool({ name: 'admin', arguments: {} });
  await proxy.approve((await proxy.oneApproval()).id);
  assert.equal(said(await call), 'administered');
  assert.equal(as.counts.revokedGrants, 0, 'the server revokes by grant: the new login would have ended too');
  await new Promise((resolve) => setTimeout(resolve, 2200)); // the token's life
  assert.equal(said(await client.callTool({ name: 'admin', arguments: {} })), 'administered');
  assert.equal(as.counts.authorizations, 2, 'no third sign-in');
  await client.close();
  const { credentials } = (await proxy.api('/api/credentials')).body;
  const out = await proxy.api('/api/logout', { method: 'POST', body: JSON.stringify({ upstream: credentials[0].upstream }) });
  assert.equal(out.status, 200, JSON.stringify(out.body));
  assert.ok(out.body.revoked >= 2, JSON.stringify(out.body));
  assert.match(out.body.message, /revoked at the provider/);
  assert.ok(as.counts.revokedGrants >= 1);
  passed();
});

test('a step-up that the person refuses at the provider fails that call and no other', { timeout: 60_000 }, async (t) => {
  const { rs, proxy, url, passed } = await use(t);
  const client = v1(url);
  await connectAndApprove(proxy, client);
  const call = client.callTool({ name: 'admin', arguments: {} }).then(() => assert.fail('must not work'), (error) => error);
  const approval = await proxy.oneApproval();
  const end = await proxy.approve(approval.id, { refuse: true });
  assert.match(end.body, /The person said no\./, 'the provider\'s words are on the page');
  const error = await call;
  assert.equal(error.code, -32010, error.message);
  assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: 'fine' } })), 'fine');
  assert.equal(rs.counts.tools.admin, undefined);
  await client.close();
  passed();
});

test('the same link may be approved twice without a second flow, and an unknown or decided one says so', { timeout: 60_000 }, async (t) => {
  const { as, proxy, url, passed } = await use(t);
  const client = v1(url);
  const connecting = client.open();
  connecting.catch(() => {});
  const approval = await proxy.oneApproval();
  const approve = () => proxy.api(`/api/approvals/${approval.id}/approve`, { method: 'POST', body: '{}' });
  const [first, second] = [await approve(), await approve()];
  assert.equal(first.body.status, 'redirect');
  assert.equal(second.body.location, first.body.location);
  await proxy.approve(approval.id);
  await connecting;
  assert.equal((await approve()).status, 409);
  assert.equal((await proxy.deny(approval.id)).status, 409);
  assert.equal((await proxy.api('/api/approvals/no-such-id/approve', { method: 'POST', body: '{}' })).status, 404);
  assert.equal((await proxy.api('/api/approvals', { headers: { authorization: 'Bearer wrong' } })).status, 401);
  assert.equal((await proxy.api('/api/approvals', { headers: { origin: 'http://127.0.0.1:1' } })).status, 403);
  assert.equal(as.counts.authorizations, 1);
  await client.close();
  passed();
});

/// A resource and a prompt that need the scope mcp:admin, as the tool does.
const withMore = (server) => {
  server.registerResource('secret', 'admin://secret', {}, async (uri) => ({ contents: [{ uri: uri.href, text: 'read' }] }));
  server.registerPrompt('admin', {}, () => ({ messages: [{ role: 'user', content: { type: 'text', text: 'prompted' } }] }));
};
for (const way of ['serve', 'stdio'])
  for (const [method, ask] of [
    ['resources/read', async (client) => (await client.readResource({ uri: 'admin://secret' })).contents[0].text],
    ['prompts/get', async (client) => (await client.getPrompt({ name: 'admin' })).messages[0].content.text],
  ])
    test(`a scope challenge to ${method} through ${way} is a step-up like a tool's`, { timeout: 60_000 }, async (t) => {
      const { as, proxy, url, passed } = await use(t, { as: { accessTokenSeconds: 60 }, rs: { extend: withMore } });
      if (way === 'stdio') await proxy.kill('SIGTERM');
      const client = way === 'serve' ? v1(url) : stdioV1(program(proxy));
      await connectAndApprove(proxy, client);
      const answer = ask(client);
      answer.catch(() => {});
      const more = await proxy.oneApproval();
      assert.equal(more.kind, 'step_up');
      assert.equal(more.method, method);
      assert.deepEqual(more.scopes.added, ['mcp:admin']);
      await proxy.approve(more.id);
      assert.equal(await answer, method === 'resources/read' ? 'read' : 'prompted');
      assert.equal(await ask(client), method === 'resources/read' ? 'read' : 'prompted');
      assert.equal(as.counts.authorizations, 2);
      await client.close();
      passed();
    });
