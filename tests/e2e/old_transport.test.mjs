// Servers of before Streamable HTTP (2024-11-05: one stream, and an endpoint that it names), through `serve` and `stdio`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { connectable, said, v1 } from './lib/clients.mjs';
import { connectAndApprove, use } from './lib/house.mjs';
import { startOldServer } from './lib/mcp_server_old.mjs';
import { stdioV1, useStdio } from './lib/stdio.mjs';

const old = (url) => connectable(new Client({ name: 'old', version: '1' }, { capabilities: {} }), new SSEClientTransport(new URL(url)));

test('an HTTP+SSE client through serve: the endpoint leads through us, tokens expire unseen', { timeout: 60_000 }, async (t) => {
  const { as, rs, proxy, url, passed } = await use(t, { server: startOldServer });
  // a client that begins with POST signs in, and teaches what the server is: it says 405 to POST
  await assert.rejects(connectAndApprove(proxy, v1(url)), ({ code }) => code === 405);
  const client = old(url);
  await client.open();
  for (let i = 0; i < 12; i++) {
    assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: `${i}` } })), `${i}`);
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  await client.close();
  assert.equal(rs.counts.tools.echo, 12);
  assert.ok(rs.counts.posts >= 14);
  assert.equal(rs.counts.authorized, rs.counts.posts, 'messages carry the credential');
  assert.ok(as.counts.refreshes >= 1);
  assert.deepEqual(client.problems, []);
  passed();
});

test('an HTTP+SSE server through stdio, found out by itself', { timeout: 60_000 }, async (t) => {
  const { as, rs, proxy, start, passed } = await useStdio(t, { server: startOldServer });
  const client = stdioV1(start);
  await connectAndApprove(proxy, client);
  for (let i = 0; i < 8; i++) {
    assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: `${i}` } })), `${i}`);
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  await client.close();
  assert.equal(rs.counts.tools.echo, 8);
  assert.equal(rs.counts.sessions, 1);
  assert.equal(as.counts.authorizations, 1);
  assert.deepEqual(client.problems, []);
  passed();
});
