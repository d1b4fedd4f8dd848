// `era: bridge`: clients of the 2025 revisions before a server that speaks 2026-07-28 only.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { CreateMessageRequestSchema, ElicitRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { said, v1, v2 } from './lib/clients.mjs';
import { connectAndApprove, use } from './lib/house.mjs';
import { startModernServer } from './lib/mcp_server_modern.mjs';
import { startMcpServer } from './lib/mcp_server.mjs';
import { until } from './lib/proxy.mjs';
import { stdioV1, useStdio } from './lib/stdio.mjs';

const capable = { options: { capabilities: { sampling: {}, elicitation: {} } } };
const bridged = { proxy: { values: { upstream: '    era: bridge' } } };

async function works(client, { as, rs, proxy }) {
  client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept', content: { name: 'Ada' } }));
  client.setRequestHandler(CreateMessageRequestSchema, async () => ({ model: 'm', role: 'assistant', content: { type: 'text', text: 'so' } }));
  let changes = 0;
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => { changes++; });
  await connectAndApprove(proxy, client);
  assert.equal(client.getServerVersion().name, 'modern');
  assert.equal(client.getInstructions(), 'be kind');
  const call = (name, args = {}) => client.callTool({ name, arguments: args }).then(said);
  for (let i = 0; i < 10; i++) {
    assert.equal(await call('echo', { message: `${i}` }), `${i}`);
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  assert.equal(await call('ask_both'), 'Ada so');
  await client.setLoggingLevel('info');
  await client.ping();
  await until(() => rs.counts.methods['subscriptions/listen'], { what: 'the stream of changes' });
  const before = (await client.listTools()).tools.length;
  rs.grow();
  await until(() => changes > 0, { what: 'that the tools have changed' });
  assert.equal((await client.listTools()).tools.length, before + 1);
  const stepping = call('admin');
  stepping.catch(() => {});
  const more = await proxy.oneApproval();
  assert.equal(more.kind, 'step_up');
  await proxy.approve(more.id);
  assert.equal(await stepping, 'administered');
  await client.close();
  assert.deepEqual(client.problems, []);
  assert.equal(rs.counts.asked, 1);
  assert.equal(rs.counts.methods.initialize, undefined, 'it never hears of a handshake');
  assert.equal(as.counts.reuses, 0);
}

test('a v1 client through stdio works with a server of 2026-07-28: calls, questions, changes, step-up', { timeout: 60_000 }, async (t) => {
  const cast = await useStdio(t, { server: startModernServer, ...bridged });
  await works(stdioV1(cast.start, capable), cast);
  cast.passed();
});

test('a v1 client through stdio with era: bridge works with a server of its own era as before', { timeout: 60_000 }, async (t) => {
  const { rs, proxy, start, passed } = await useStdio(t, { server: startMcpServer, ...bridged });
  const client = stdioV1(start);
  await connectAndApprove(proxy, client);
  assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: 'old' } })), 'old');
  await client.close();
  assert.equal(rs.counts.sessions, 1);
  assert.deepEqual(client.problems, []);
  passed();
});

test('without era: bridge the pair does not understand each other, and the client hears why', { timeout: 60_000 }, async (t) => {
  const { proxy, start, passed } = await useStdio(t, { server: startModernServer });
  const client = stdioV1(start);
  const opening = client.open();
  opening.catch(() => {});
  await proxy.approve((await proxy.oneApproval()).id);
  await assert.rejects(opening, /version/i);
  await client.close();
  passed();
});

test('a v1 client through serve works with a server of 2026-07-28: calls, questions, changes, step-up', { timeout: 60_000 }, async (t) => {
  const cast = await use(t, { server: startModernServer, ...bridged });
  await works(v1(cast.url, capable), cast);
  cast.passed();
});

test('through serve with era: bridge: many clients of both eras, and sessions that are nobody else\'s', { timeout: 60_000 }, async (t) => {
  const { as, rs, proxy, url, passed } = await use(t, { server: startModernServer, ...bridged });
  await connectAndApprove(proxy, v2(url, { mode: { pin: '2026-07-28' } }));
  const clients = Array.from({ length: 12 }, (_, i) => (i % 3 ? v1(url) : v2(url, { mode: 'auto' })));
  await Promise.all(clients.map((client) => client.open()));
  const answers = await Promise.all(clients.flatMap((client, c) =>
    Array.from({ length: 10 }, (_, i) => client.callTool({ name: 'echo', arguments: { message: `${c}.${i}` } }).then(said))));
  assert.deepEqual(answers, clients.flatMap((_, c) => Array.from({ length: 10 }, (_, i) => `${c}.${i}`)));
  const post = (headers, message) => fetch(url, {
    method: 'POST', body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
  });
  assert.equal((await post({ 'mcp-session-id': 'no such' }, { id: 1, method: 'ping' })).status, 404);
  assert.equal((await post({}, { id: 1, method: 'tools/list' })).status, 400);
  const begun = await post({}, { id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } } });
  const id = begun.headers.get('mcp-session-id');
  assert.equal((await begun.json()).result.serverInfo.name, 'modern');
  assert.equal((await fetch(url, { method: 'DELETE', headers: { 'mcp-session-id': id } })).status, 200);
  assert.equal((await post({ 'mcp-session-id': id }, { id: 2, method: 'ping' })).status, 404);
  const hello = { id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'ada', version: '1' } } };
  const adas = (await post({ authorization: 'Bearer ada' }, hello)).headers.get('mcp-session-id');
  assert.equal((await post({ authorization: 'Bearer eve', 'mcp-session-id': adas }, { id: 2, method: 'ping' })).status, 404);
  assert.equal((await post({ authorization: 'Bearer ada', 'mcp-session-id': adas }, { id: 2, method: 'ping' })).status, 200);
  for (const client of clients) {
    await client.close();
    assert.deepEqual(client.problems.filter((problem) => !/aborted/.test(problem)), []); // v2 says so of its own closing
  }
  assert.equal(rs.counts.methods.initialize, undefined);
  assert.equal(as.counts.authorizations, 1);
  passed();
});

test('through serve with era: bridge: what we answer ourselves ends at once, a closed stream is free again, idle sessions give way', { timeout: 120_000 }, async (t) => {
  const { proxy, url, passed } = await use(t, { server: startModernServer, ...bridged });
  await connectAndApprove(proxy, v2(url, { mode: { pin: '2026-07-28' } }));
  const post = (headers, message) => fetch(url, {
    method: 'POST', body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
  });
  const hello = { id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } } };
  const begin = async (who = {}) => {
    const answer = await post(who, hello);
    await answer.text();
    return { 'mcp-session-id': answer.headers.get('mcp-session-id'), ...who };
  };
  const session = await begin();
  assert.equal((await post(session, { method: 'notifications/initialized' })).status, 202);
  const open = () => readdirSync(`/proc/${proxy.child.pid}/fd`).length;
  const before = open();
  for (const message of [{ method: 'ping' }, { method: 'logging/setLevel', params: { level: 'info' } },
    { method: 'resources/subscribe', params: { uri: 'file:///x' } }, { method: 'resources/unsubscribe', params: { uri: 'file:///x' } }])
    for (let i = 0; i < 25; i++) {
      const answer = await post(session, { id: `${message.method}${i}`, ...message });
      assert.deepEqual((await answer.json()).result, {}, message.method); // it ends: a stream would be read for ever
    }
  assert.ok(open() < before + 50, `${open() - before} descriptors more`);

  for (let i = 0; i < 3; i++) { // closed and opened again
    const gone = new AbortController();
    let stream;
    await until(async () => {
      stream = await fetch(url, { headers: { accept: 'text/event-stream', ...session }, signal: gone.signal });
      if (stream.status === 409) await stream.text();
      return stream.status !== 409;
    }, { what: 'the stream to be free', ms: 5000 });
    assert.equal(stream.status, 200);
    gone.abort();
  }

  const ada = { authorization: 'Bearer ada' };
  const hers = await begin(ada);
  const eves = [];
  for (let i = 0; i < 205; i++) eves.push(await begin({ authorization: 'Bearer eve' }));
  assert.equal((await post(eves[0], { id: 2, method: 'ping' })).status, 404, 'the one that was idle longest has given way');
  assert.equal((await post(eves.at(-1), { id: 2, method: 'ping' })).status, 200);
  assert.equal((await post(hers, { id: 2, method: 'ping' })).status, 200, 'and nobody else\'s');
  passed();
});
