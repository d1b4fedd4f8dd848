// Clients that start a program and talk to its standard input and output: `mcp-reauth stdio` with a configuration of its own.
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { Client as ClientV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as TransportV2 } from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { startAuthorizationServer } from './authorization_server.mjs';
import { connectable } from './clients.mjs';
import { startMcpServer } from './mcp_server.mjs';
import { binary, makeProxy } from './proxy.mjs';

/// The usual cast, of which the proxy is what the client starts: `start` holds what a StdioClientTransport takes.
export async function useStdio(t, { server = startMcpServer, as: asOptions, rs: rsOptions, proxy: proxyOptions = {} } = {}) {
  const as = await startAuthorizationServer(asOptions);
  t.after(() => as.close());
  const rs = await server({ authorizationServer: as, ...rsOptions });
  t.after(() => rs.close());
  const proxy = await makeProxy({ upstreamUrl: rs.url, ...proxyOptions });
  let failed = true;
  t.after(async () => {
    if (failed) t.diagnostic(`the log ends with:\n${proxy.log.split('\n').slice(-25).join('\n')}`);
    await proxy.close();
  });
  return { as, rs, proxy, start: program(proxy), passed: () => { failed = false; } };
}

/// What starts it; its log goes to the proxy's file.
export function program(proxy, { upstream = 'files', args = [], env = {} } = {}) {
  return {
    command: binary,
    args: ['stdio', upstream, '--config', proxy.config, ...args],
    cwd: proxy.dir,
    env: { ...process.env, HOME: proxy.dir, XDG_STATE_HOME: join(proxy.dir, 'state'), ...env },
    stderr: openSync(proxy.logFile, 'a'),
  };
}

/// SDK v1.
export function stdioV1(start, { info = { name: 'program-v1', version: '1.0.0' }, options = { capabilities: {} } } = {}) {
  return connectable(new ClientV1(info, options), new TransportV1(start));
}

/// SDK v2; `mode`: legacy | auto | { pin: '2026-07-28' }.
export function stdioV2(start, { mode = 'auto', info = { name: 'program-v2', version: '1.0.0' }, options = { capabilities: {} } } = {}) {
  return connectable(new ClientV2(info, { ...options, versionNegotiation: { mode } }), new TransportV2(start));
}
