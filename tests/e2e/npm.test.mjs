// npm's two packages: packed, installed from the files, and started as a client does.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { said } from './lib/clients.mjs';
import { startProtected, text } from './lib/mcp_server.mjs';
import { stdioV1 } from './lib/stdio.mjs';
import { binary, root, until } from './lib/proxy.mjs';

let dir, program;
const launcher = () => join(dir, 'there/node_modules/.bin/mcp-reauth');

before(() => {
  dir = mkdtempSync(join(tmpdir(), 'reauth-npm-'));
  program = { ...process.env, REAUTH_PACKAGES: join(dir, 'packed'), REAUTH_PROGRAM: binary };
  execFileSync('bash', ['dev', 'package', 'npm'], { cwd: root, env: program });
  const files = readdirSync(join(dir, 'packed')).filter((f) => f.endsWith('.tgz')).map((f) => join(dir, 'packed', f));
  assert.equal(files.length, 2);
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', '--prefix', join(dir, 'there'), ...files], { cwd: dir, stdio: 'pipe' });
});
after(() => rmSync(dir, { recursive: true, force: true }));

test('the installed command is the program itself: no Node.js stays in memory', async () => {
  assert.match(execFileSync(launcher(), ['--version'], { encoding: 'utf8' }), /^mcp-reauth \d+\.\d+\.\d+\n$/);
  const child = spawn(launcher(), ['demo', '--keep', '--port', '0', '--approval-port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    await until(() => readlinkSync(`/proc/${child.pid}/exe`).endsWith('@mcp-reauth/linux-x64/bin/mcp-reauth'), { what: 'the program in the place of its launcher' });
  } finally {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
  }
});

test("an entry of Claude Desktop's that names npx serves the server it names", { timeout: 60_000 }, async (t) => {
  const rs = await startProtected({
    open: true,
    mount: (app) => {
      app.all('/mcp', async (req, res) => {
        const server = new McpServer({ name: 'open', version: '1' });
        server.registerTool('ping', {}, () => text('pong'));
        const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
        await server.connect(transport);
        return transport.handleRequest(req, res, req.body);
      });
    },
  });
  t.after(() => rs.close());
  const printed = execFileSync(launcher(), ['client-config', rs.url, '--for', 'claude-desktop', '--npx'], { encoding: 'utf8' });
  const [name] = Object.keys(JSON.parse(printed).mcpServers);
  const entry = JSON.parse(printed).mcpServers[name];
  assert.equal(entry.command, 'npx');
  assert.deepEqual(entry.args.slice(0, 3), ['-y', 'mcp-reauth', 'stdio']);
  // npx finds a command that is installed in the folder it runs in
  const env = { ...process.env, XDG_STATE_HOME: join(dir, 'state'), MCP_REAUTH_APPROVAL_OPEN_BROWSER: 'never', MCP_REAUTH_APPROVAL_LISTEN: '127.0.0.1:0' };
  const client = stdioV1({ command: entry.command, args: entry.args, env, cwd: join(dir, 'there') });
  t.after(() => client.close());
  await client.open();
  assert.equal(said(await client.callTool({ name: 'ping', arguments: {} })), 'pong');
});

test("out of npx's cache, which is emptied now and then, entries name npx and not the cache", () => {
  const cached = join(dir, '_npx/0123456789abcdef');
  execFileSync('mkdir', ['-p', cached]);
  execFileSync('cp', ['-a', join(dir, 'there/node_modules'), cached]);
  const command = join(cached, 'node_modules/.bin/mcp-reauth');
  const entry = JSON.parse(execFileSync(command, ['client-config', 'https://mcp.example.com/mcp', '--for', 'claude-desktop'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  assert.deepEqual(entry.mcpServers.example, { command: 'npx', args: ['-y', 'mcp-reauth', 'stdio', 'https://mcp.example.com/mcp'] });
  const file = join(dir, 'mcp.json');
  writeFileSync(file, JSON.stringify({ mcpServers: { a: { command: 'npx', args: ['-y', 'mcp-remote@latest', 'https://mcp.example.com/mcp', '--debug'] } } }));
  execFileSync(command, ['import', 'mcp-remote', '--config', file], { env: { ...process.env, HOME: dir } });
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')).mcpServers.a, { command: 'npx', args: ['-y', 'mcp-reauth', 'stdio', 'https://mcp.example.com/mcp', '--debug'] });
});

test('a platform without a program, and an installation without its package, say what to do', () => {
  const bin = join(dir, 'bin');
  execFileSync('mkdir', ['-p', bin]);
  execFileSync('bash', ['-c', `printf '#!/bin/sh\\n[ "$1" = -s ] && echo Darwin || echo arm64\\n' > ${bin}/uname; chmod 755 ${bin}/uname`]);
  const elsewhere = spawnSync(launcher(), ['--version'], { env: { ...process.env, PATH: `${bin}:${process.env.PATH}` }, encoding: 'utf8' });
  assert.equal(elsewhere.status, 1);
  assert.match(elsewhere.stderr, /no program for darwin-arm64 yet.*WSL or a container/);
  const alone = join(dir, 'alone');
  execFileSync('cp', ['-r', join(dir, 'there/node_modules/mcp-reauth'), alone]);
  const missing = spawnSync(join(alone, 'bin/mcp-reauth'), [], { encoding: 'utf8' });
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /@mcp-reauth\/linux-x64 was not installed.*--omit=optional/);
});

test('started through links, as npm does for a global installation, it finds its program', () => {
  symlinkSync(launcher(), join(dir, 'first'));
  symlinkSync('first', join(dir, 'second'));
  assert.match(execFileSync(join(dir, 'second'), ['--version'], { encoding: 'utf8' }), /^mcp-reauth/);
});

test('what is packed is what is named, and nothing else', () => {
  const listed = (file) => execFileSync('tar', ['-tzf', join(dir, 'packed', file)], { encoding: 'utf8' }).trim().split('\n').sort();
  const version = JSON.parse(readFileSync(join(dir, 'there/node_modules/mcp-reauth/package.json'))).version;
  assert.deepEqual(listed(`mcp-reauth-${version}.tgz`), ['LICENSE', 'README.md', 'bin/mcp-reauth', 'package.json', 'platform.js'].map((f) => `package/${f}`));
  assert.deepEqual(listed(`mcp-reauth-linux-x64-${version}.tgz`), ['LICENSE', 'README.md', 'bin/mcp-reauth', 'package.json'].map((f) => `package/${f}`));
  assert.ok(existsSync(launcher()));
});
