// `era: bridge`: clients of the 2025 revisions before a server that speaks 2026-07-28 only.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateMessageRequestSchema, ElicitRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { said, v1 } from './lib/clients.mjs';
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
