// Nothing is lost and nothing is leaked: kill -9, start again, no approval; no token on disk, in logs, in --json output.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { said, v1 } from './lib/clients.mjs';
import { connectAndApprove, use } from './lib/house.mjs';

const filesBelow = (dir) => readdirSync(dir, { recursive: true }).map((name) => join(dir, name)).filter((name) => statSync(name).isFile());

test('kill -9 and start again: no approval is asked again, and no secret is in vault, logs or output', { timeout: 90_000 }, async (t) => {
  const seen = new Set(); // every secret the authorization server ever gave away
  const { as, rs, proxy, url, passed } = await use(t, { as: { onSecret: (secret) => seen.add(secret) } });
  const client = v1(url);
  await connectAndApprove(proxy, client);
  assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: 'before' } })), 'before');

  for (let round = 0; round < 3; round++) {
    await proxy.kill('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 2200)); // the token's life
    await proxy.start();
    const again = v1(url);
    await again.open();
    assert.equal(said(await again.callTool({ name: 'echo', arguments: { message: `after ${round}` } })), `after ${round}`);
    assert.deepEqual(await proxy.waiting(), []);
    await again.close();
  }
  assert.equal(as.counts.authorizations, 1);
  assert.equal(as.counts.reuses, 0);
  assert.equal(rs.counts.tools.echo, 4);

  const outputs = [];
  for (const verb of ['status', 'approvals', 'check']) {
    const { code, stdout, stderr } = await proxy.cli(verb, '--json');
    assert.equal(code, 0, `${verb} --json: ${stderr}`);
    if (stdout.trim()) JSON.parse(stdout);
    outputs.push([`${verb} --json`, stdout + stderr]);
  }
  outputs.push(['GET /api/credentials', JSON.stringify((await proxy.api('/api/credentials')).body)]);
  outputs.push(['/metrics', await proxy.metrics()]);
  await proxy.kill('SIGTERM');
  for (const name of filesBelow(proxy.dir))
    if (!/operator\.token$|config\.yaml$/.test(name)) outputs.push([name, readFileSync(name).toString('latin1')]);

  assert.ok(seen.size >= 6, `secrets to look for: ${seen.size}`);
  for (const [where, content] of outputs) {
    for (const secret of seen) assert.ok(!content.includes(secret), `${where} holds a secret of the authorization server`);
    assert.ok(!content.includes(proxy.token), `${where} holds the operator token`);
    assert.ok(!/eyJ[\w-]{10,}\.eyJ/.test(content), `${where} holds a JWT`);
  }
  passed();
});

test('a backup made while it runs (docs/operations.md) is restored, and nobody signs in again', { timeout: 60_000 }, async (t) => {
  const { as, proxy, url, passed } = await use(t, { as: { accessTokenSeconds: 600 } });
  const client = v1(url);
  await connectAndApprove(proxy, client);
  const vault = filesBelow(proxy.dir).find((name) => name.endsWith('vault.db'));
  execFileSync('python3', ['-c', 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).backup(sqlite3.connect(sys.argv[2]))', vault, `${vault}.backup`]);
  await client.close();
  await proxy.kill('SIGTERM');
  for (const name of filesBelow(proxy.dir)) if (/vault\.db(-wal|-shm)?$/.test(name)) rmSync(name);
  copyFileSync(`${vault}.backup`, vault);
  chmodSync(vault, 0o600);
  await proxy.start();
  const again = v1(url);
  await again.open();
  assert.equal(said(await again.callTool({ name: 'echo', arguments: { message: 'restored' } })), 'restored');
  assert.deepEqual(await proxy.waiting(), []);
  assert.equal(as.counts.authorizations, 1);
  await again.close();
  passed();
});

test('the proxy outlives an authorization server that is down for a while', { timeout: 60_000 }, async (t) => {
  const { as, proxy, url, passed } = await use(t, { proxy: { values: { refresh_ahead: '0s' } } });
  const client = v1(url);
  await connectAndApprove(proxy, client);
  as.pause(true);
  await new Promise((resolve) => setTimeout(resolve, 2200)); // the token's life
  const outcome = await client.callTool({ name: 'echo', arguments: { message: 'x' } }).then((r) => r, (error) => error);
  assert.ok(outcome instanceof Error, 'the call must fail while no token can be had');
  assert.equal(outcome.code, -32010, outcome.message);
  as.pause(false);
  let answer;
  for (let i = 0; i < 40 && !answer; i++) {
    answer = await client.callTool({ name: 'echo', arguments: { message: 'back' } }).then(said, () => undefined);
    if (!answer) await new Promise((resolve) => setTimeout(resolve, 500)); // its back-off
  }
  assert.equal(answer, 'back');
  assert.equal(as.counts.authorizations, 1, 'the refresh token was kept');
  assert.equal(as.counts.reuses, 0);
  await client.close();
  passed();
});
