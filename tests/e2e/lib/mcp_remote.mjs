// mcp-remote, the bridge that others use, with a home of its own: as a program before a client, and its person at the provider.
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { signIn } from './person.mjs';
import { root } from './proxy.mjs';

export const mcpRemote = join(root, 'tests/e2e/node_modules/mcp-remote/dist/proxy.js');

/// What starts it, with what it keeps under `home`.
export function remoteProgram(url, home, { args = [] } = {}) {
  return {
    command: process.execPath, args: [mcpRemote, url, '--allow-http', ...args], stderr: 'pipe',
    env: { ...process.env, HOME: home, MCP_REMOTE_CONFIG_DIR: home, PATH: '/nonexistent' }, // no browser
  };
}

/// A connected client; the sign-in is done by the scripted person. `log()`: what it said.
export async function signInWithMcpRemote(url, home, options = {}) {
  const transport = new StdioClientTransport(remoteProgram(url, home, options));
  const client = new Client({ name: 'before', version: '1' }, { capabilities: {} });
  let log = '';
  let signed = false;
  transport.stderr.on('data', (data) => {
    log += data;
    const link = /visiting:\s*(https?:\S+)/.exec(log)?.[1];
    if (link && !signed) {
      signed = true;
      signIn(link).catch((error) => { log += String(error); });
    }
  });
  await client.connect(transport, { timeout: 30_000 }).catch((error) => { throw new Error(`${error.message}\n${log}`); });
  client.log = () => log;
  client.pid = transport.pid;
  return client;
}
