// A secret in `headers` comes from a file, and is read anew when the file changes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeProxy, until } from './lib/proxy.mjs';

/// A proxy before an upstream that says which key it was sent, and the file that the key is in.
async function keyed(t) {
  const dir = mkdtempSync(join(tmpdir(), 'mcp-reauth-headers-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'key');
  writeFileSync(file, 'first-secret-key\n');
  const upstream = createServer((request, response) => response.end(request.headers['x-key'] ?? 'none'));
  await new Promise((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  t.after(() => upstream.close());
  const proxy = await makeProxy({
    template: 'headers.yaml', upstreamUrl: `http://127.0.0.1:${upstream.address().port}/mcp`, values: { header_file: file },
  });
  t.after(() => proxy.close());
  await proxy.start();
  const sent = async () => (await fetch(`${proxy.origin}/files`, { method: 'POST', body: '{}' })).text();
  assert.equal(await sent(), 'first-secret-key');
  return { proxy, file, sent };
}

test('a header from a file follows the file, and reaches no log', { timeout: 60_000 }, async (t) => {
  const { proxy, file, sent } = await keyed(t);
  writeFileSync(`${file}.new`, 'second-secret-key\n');
  renameSync(`${file}.new`, file);
  await until(async () => (await sent()) === 'second-secret-key', { what: 'the new key' });
  assert.ok(!/secret-key/.test(proxy.log), 'a secret in the log');
});

test('a FIFO in the place of a header file, and among the notes of running proxies, hangs nothing', { timeout: 60_000 }, async (t) => {
  const { proxy, file, sent } = await keyed(t);
  const notes = readdirSync(proxy.dir, { recursive: true }).filter((name) => /running$/.test(name)).map((name) => join(proxy.dir, name));
  assert.equal(notes.length, 1);
  execFileSync('mkfifo', [join(notes[0], '1.json')]);
  execFileSync('mkfifo', [`${file}.new`]);
  renameSync(`${file}.new`, file);
  proxy.child.kill('SIGHUP');
  await until(() => /reload refused.*is no regular file/.test(proxy.log), { what: 'the reload to be refused' });
  assert.equal(await sent(), 'first-secret-key');
  assert.equal((await proxy.api('/api/credentials')).status, 200);
  assert.equal((await proxy.cli('status')).code, 0);
  const ended = new Promise((resolve) => proxy.child.on('close', resolve));
  proxy.child.kill('SIGTERM');
  await ended;
});
