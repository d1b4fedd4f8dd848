// The .deb in a system of its own: installed, used, upgraded with a live vault, removed, purged. Needs root (chroot).
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startAuthorizationServer } from '../e2e/lib/authorization_server.mjs';
import { said, v1 } from '../e2e/lib/clients.mjs';
import { startMcpServer } from '../e2e/lib/mcp_server.mjs';
import { signIn } from '../e2e/lib/person.mjs';
import { freePorts, root, until } from '../e2e/lib/proxy.mjs';

const skip = process.getuid() === 0 ? false : 'needs root';
const bash = (script, ...words) => execFileSync('bash', ['-euo', 'pipefail', '-c', script, '-', ...words], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
let dir, system, deb;
const inside = (...words) => execFileSync(join(root, '.dev/inside'), [system, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const apt = (...words) => inside('env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-y', '-q', ...words);
const at = (path) => join(system, path);
const mode = (path) => (statSync(at(path)).mode & 0o7777).toString(8);
const owner = (path) => inside('stat', '-c', '%U:%G', path).trim();

before(() => {
  if (skip) return;
  dir = mkdtempSync(join(tmpdir(), 'reauth-deb-'));
  system = join(dir, 'system');
  const release = /VERSION_CODENAME=(\w+)/.exec(readFileSync('/etc/os-release', 'utf8'))[1];
  bash('logs=build/logs; say() { :; }; die() { echo "$*"; exit 1; }; as_root() { "$@"; }; source .dev/elsewhere.sh; make_system "$1" "build/elsewhere/$1"; cp -a "build/elsewhere/$1" "$2"; rm -rf "$2/src"',
    release, system);
  execFileSync('bash', ['dev', 'package', 'deb'], { cwd: root, env: { ...process.env, REAUTH_PACKAGES: join(dir, 'packages') }, stdio: 'pipe' });
  deb = join(dir, 'packages', readdirSync(join(dir, 'packages')).find((f) => f.endsWith('.deb')));
  execFileSync('cp', [deb, at('/root/first.deb')]);
  // the same with a later version: what matters is what an upgrade does to what is there
  bash('dpkg-deb -R "$1" "$2/later"; sed -i "s/^Version: .*/Version: 99.0-1/" "$2/later/DEBIAN/control"; dpkg-deb --root-owner-group -b "$2/later" "$3/root/later.deb"', deb, dir, system);
  apt('update');
});
after(() => dir && rmSync(dir, { recursive: true, force: true }));

test('it installs with what it needs, as a user of its own with a state directory', { skip, timeout: 240_000 }, () => {
  apt('install', '--no-install-recommends', '/root/first.deb');
  assert.match(inside('mcp-reauth', '--version'), /^mcp-reauth \d/);
  assert.equal(owner('/var/lib/mcp-reauth'), 'mcp-reauth:mcp-reauth');
  assert.equal(mode('/var/lib/mcp-reauth'), '700');
  assert.equal(owner('/etc/mcp-reauth/config.yaml'), 'root:mcp-reauth');
  assert.equal(mode('/etc/mcp-reauth/config.yaml'), '640');
  for (const file of ['/usr/lib/systemd/system/mcp-reauth.service', '/usr/share/mcp-reauth/mcp-reauth.schema.json', '/usr/share/bash-completion/completions/mcp-reauth',
    '/usr/share/zsh/vendor-completions/_mcp-reauth', '/usr/share/fish/vendor_completions.d/mcp-reauth.fish'])
    assert.ok(statSync(at(file)).size > 500, file);
  assert.match(readFileSync(at('/usr/lib/systemd/system/mcp-reauth.service'), 'utf8'), /^ExecStart=\/usr\/bin\/mcp-reauth serve --config \/etc\/mcp-reauth\/config\.yaml$/m);
  const checked = inside('bash', '-c', 'mcp-reauth check --config /etc/mcp-reauth/config.yaml 2>&1; echo "exit $?"');
  assert.match(checked, /no upstream is configured.*exit 2/s);
});

test('an upgrade keeps the configuration and a vault that is in use; a removal keeps them too; a purge leaves nothing', { skip, timeout: 240_000 }, async (t) => {
  const as = await startAuthorizationServer();
  t.after(() => as.close());
  const rs = await startMcpServer({ authorizationServer: as });
  t.after(() => rs.close());
  const [port, page] = await freePorts(2);
  const config = `listen: 127.0.0.1:${port}\napproval: {listen: 127.0.0.1:${page}, open_browser: never}\nupstreams: {files: {url: ${rs.url}}}\n`;
  writeFileSync(at('/etc/mcp-reauth/config.yaml'), config);
  const ready = () => until(async () => (await fetch(`http://127.0.0.1:${page}/`).catch(() => null))?.status, { what: 'the page' });
  const start = async () => {
    const child = spawn(join(root, '.dev/inside'), [system, 'setpriv', '--reuid=mcp-reauth', '--regid=mcp-reauth', '--init-groups', 'env',
      'STATE_DIRECTORY=/var/lib/mcp-reauth', '/usr/bin/mcp-reauth', 'serve', '--config', '/etc/mcp-reauth/config.yaml'], { stdio: ['ignore', 'inherit', 'pipe'] });
    child.log = '';
    child.stderr.on('data', (data) => (child.log += data));
    t.after(() => child.kill('SIGKILL'));
    await ready();
    return child;
  };
  const stop = (child) => new Promise((resolve) => { child.once('exit', resolve); child.kill('SIGTERM'); });

  const first = await start();
  const client = v1(`http://127.0.0.1:${port}/files`);
  const connecting = client.open();
  connecting.catch(() => {});
  const headers = { Authorization: `Bearer ${readFileSync(at('/var/lib/mcp-reauth/operator.token'), 'utf8').trim()}` };
  const waiting = async () => (await (await fetch(`http://127.0.0.1:${page}/api/approvals`, { headers })).json()).approvals;
  const approval = await until(async () => (await waiting())[0], { what: 'an approval' });
  const { location } = await (await fetch(`http://127.0.0.1:${page}/api/approvals/${approval.id}/approve`, { method: 'POST', headers })).json();
  await signIn(location);
  await connecting;
  assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: 'before' } })), 'before');

  apt('install', '--no-install-recommends', '/root/later.deb'); // while it runs
  assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: 'meanwhile' } })), 'meanwhile');
  await client.close();
  assert.equal(await stop(first), 0, first.log);
  assert.match(inside('dpkg-query', '-W', 'mcp-reauth'), /99\.0-1/);
  assert.equal(readFileSync(at('/etc/mcp-reauth/config.yaml'), 'utf8'), config);

  const second = await start();
  const again = v1(`http://127.0.0.1:${port}/files`);
  await again.open();
  assert.equal(said(await again.callTool({ name: 'echo', arguments: { message: 'after' } })), 'after');
  await again.close();
  assert.equal(as.counts.authorizations, 1, 'nobody signed in again');
  assert.equal(await stop(second), 0, second.log);

  apt('remove', 'mcp-reauth');
  assert.ok(!existsSync(at('/usr/bin/mcp-reauth')));
  assert.ok(existsSync(at('/var/lib/mcp-reauth/vault.db')));
  assert.equal(readFileSync(at('/etc/mcp-reauth/config.yaml'), 'utf8'), config);
  apt('purge', 'mcp-reauth');
  for (const gone of ['/var/lib/mcp-reauth', '/etc/mcp-reauth', '/usr/share/doc/mcp-reauth']) assert.ok(!existsSync(at(gone)), gone);
  assert.doesNotMatch(inside('getent', 'passwd'), /mcp-reauth/);
});
