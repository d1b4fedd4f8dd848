// The published command line clients, as their users run them: each is given the URL that `client-config` prints, in a
// home of its own, and is asked to connect; where it can do so without a model, to call a tool.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binary, root } from './proxy.mjs';

const small = join(root, 'tests/e2e/node_modules'), large = join(root, 'tests/clients/node_modules');
const packageOf = (folder, name) => JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8'));

/// Runs a program to its end (or kills it after a while); everything it said, and for how long it ran. `talk` speaks to
/// one that reads its standard input, and says when it is done.
export function run(command, { cwd, env, ms = 90_000, talk } = {}) {
  return new Promise((resolve) => {
    const began = Date.now();
    const child = spawn(command[0], command.slice(1), { cwd, env, stdio: [talk ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
    let out = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), ms);
    const hear = (data) => {
      out += data;
      if (talk?.done(out)) child.kill('SIGTERM');
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', (data) => (out += data));
    child.stdin?.on('error', () => {});
    if (talk) child.stdin.write(talk.says);
    child.on('error', (error) => resolve({ code: -1, out: String(error), ms: Date.now() - began }));
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, out: out.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, ''), ms: Date.now() - began });
    });
  });
}

/// What `mcp-reauth client-config` prints for a client beside that proxy.
export async function clientConfig(proxy, client, upstream = 'files') {
  const { code, out } = await run([binary, 'client-config', upstream, '--for', client, '--json', '--config', proxy.config], {
    cwd: proxy.dir, env: { ...process.env, HOME: proxy.dir, XDG_STATE_HOME: join(proxy.dir, 'state') },
  });
  if (code !== 0) throw new Error(`client-config --for ${client}: ${out}`);
  return JSON.parse(out);
}

const node = process.execPath;
const codexSays = [
  { id: 0, method: 'initialize', params: { clientInfo: { name: 'measure', version: '1' } } },
  { method: 'initialized' },
  { id: 1, method: 'mcpServerStatus/list', params: {} },
].map((m) => `${JSON.stringify(m)}\n`).join('');

/// `setup` writes the client's own file with the text of client-config; `connect` is a command whose output shows whether it
/// got in (`ok`); `call` calls a tool. `home`: a directory of its own.
const clients = [
  {
    name: 'inspector', title: 'MCP Inspector (CLI)', package: '@modelcontextprotocol/inspector', folder: small,
    setup: ({ entry, home }) => writeFileSync(join(home, 'mcp.json'), entry.text),
    connect: ({ home }) => [node, join(small, '@modelcontextprotocol/inspector/clients/launcher/build/index.js'), '--cli',
      '--config', join(home, 'mcp.json'), '--server', 'files', '--method', 'tools/list'],
    ok: /"name": *"echo"/,
    call: (tool, args) => ({ home }) => [node, join(small, '@modelcontextprotocol/inspector/clients/launcher/build/index.js'), '--cli',
      '--config', join(home, 'mcp.json'), '--server', 'files', '--method', 'tools/call', '--tool-name', tool,
      ...Object.entries(args).flatMap(([k, v]) => ['--tool-arg', `${k}=${v}`])],
  },
  {
    name: 'mcporter', title: 'mcporter', package: 'mcporter', folder: small,
    setup: ({ entry, home }) => { mkdirSync(join(home, 'config'), { recursive: true }); writeFileSync(join(home, 'config/mcporter.json'), entry.text); },
    connect: () => [node, join(small, 'mcporter/dist/cli.js'), 'list', 'files'],
    ok: /function echo|echo\(/,
    call: (tool, args) => () => [node, join(small, 'mcporter/dist/cli.js'), 'call', `files.${tool}`, ...Object.entries(args).map(([k, v]) => `${k}=${v}`)],
  },
  {
    name: 'claude-code', title: 'Claude Code', package: '@anthropic-ai/claude-code', folder: large,
    setup: () => {},
    connect: () => [join(large, '@anthropic-ai/claude-code-linux-x64/claude'), 'mcp', 'list'],
    // a project's .mcp.json waits for its user's word; the same object given by hand does not
    by: ({ entry }) => [join(large, '@anthropic-ai/claude-code-linux-x64/claude'), 'mcp', 'add-json', 'files', JSON.stringify(JSON.parse(entry.text).mcpServers.files)],
    ok: /files: .*Connected/,
  },
  {
    name: 'opencode', title: 'opencode', package: 'opencode-ai', folder: large,
    setup: ({ entry, home }) => writeFileSync(join(home, 'opencode.json'), entry.text),
    connect: () => [join(large, 'opencode-linux-x64/bin/opencode'), 'mcp', 'list'],
    ok: /✓ files/,
  },
  {
    name: 'gemini', title: 'Gemini CLI', package: '@google/gemini-cli', folder: large,
    setup: ({ entry, home }) => { mkdirSync(join(home, '.gemini'), { recursive: true }); writeFileSync(join(home, '.gemini/settings.json'), entry.text); },
    connect: () => [node, join(large, '@google/gemini-cli/bundle/gemini.js'), 'mcp', 'list'],
    ok: /✓ files/,
  },
  {
    name: 'claude-desktop', title: 'SDK 1.32.2 as Claude Desktop (stdio)', package: '@modelcontextprotocol/sdk', folder: small,
    setup: ({ entry, home }) => writeFileSync(join(home, 'claude_desktop_config.json'), entry.text),
    connect: ({ home }) => [node, join(root, 'tests/clients/stdio.mjs'), join(home, 'claude_desktop_config.json')],
    ok: /tools: .*echo/,
  },
  {
    name: 'codex', title: 'Codex', package: '@openai/codex', folder: large,
    setup: ({ entry, home }) => { mkdirSync(join(home, '.codex'), { recursive: true }); writeFileSync(join(home, '.codex/config.toml'), entry.text); },
    connect: () => [join(large, '@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex'), 'app-server'],
    talk: { says: codexSays, done: (out) => /"id":1,/.test(out) },
    ok: /"echo":\{"name"/,
  },
];

/// Those whose package is installed, with their version.
export const installed = () => clients.filter((c) => existsSync(join(c.folder, c.package)))
  .map((c) => ({ ...c, version: packageOf(c.folder, c.package).version }));

/// A client with a home of its own beside that proxy; its settings are what client-config says (`as`: for another client).
export async function prepare(client, proxy, url, as = client.name) {
  const home = join(proxy.dir, `home-${client.name}`);
  mkdirSync(home, { recursive: true });
  const where = { home, url, entry: await clientConfig(proxy, as) };
  client.setup(where);
  const env = {
    ...process.env, HOME: home, XDG_CONFIG_HOME: join(home, '.config'), XDG_STATE_HOME: join(proxy.dir, 'state'), XDG_DATA_HOME: join(home, '.local/share'),
    CODEX_HOME: join(home, '.codex'), GEMINI_CLI_TRUST_WORKSPACE: 'true', DISABLE_TELEMETRY: '1', DISABLE_AUTOUPDATER: '1',
    OPENCODE_DISABLE_AUTOUPDATE: '1', NO_COLOR: '1', CI: '1',
  };
  const go = (make, ms, talk) => run(make(where), { cwd: home, env, ms, talk });
  if (client.by) await go(client.by, 30_000);
  return {
    connect: async () => {
      const seen = await go(client.connect, 90_000, client.talk);
      return { ...seen, ok: client.ok.test(seen.out) };
    },
    call: client.call && ((tool, args = {}) => go(client.call(tool, args), 120_000)),
  };
}
