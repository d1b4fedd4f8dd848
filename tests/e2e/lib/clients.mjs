// Unmodified MCP clients of both generations, none of which has heard of OAuth.
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/// SDK v1. Everything that goes wrong is in `.problems`.
export function v1(url, { info = { name: 'plain-v1', version: '1.0.0' }, options = { capabilities: {} }, transport = {} } = {}) {
  return connectable(new ClientV1(info, options), new TransportV1(new URL(url), transport));
}

/// SDK v2; `mode`: legacy | auto | { pin: '2026-07-28' }.
export function v2(url, { mode = 'auto', info = { name: 'plain-v2', version: '1.0.0' }, options = { capabilities: {} }, transport = {} } = {}) {
  return connectable(new ClientV2(info, { ...options, versionNegotiation: { mode } }), new TransportV2(new URL(url), transport));
}

export function connectable(client, transport) {
  client.problems = [];
  client.onerror = (error) => client.problems.push(String(error?.message ?? error));
  client.open = async () => {
    await client.connect(transport);
    return client;
  };
  client.transportUnderTest = transport;
  return client;
}

export const said = (result) => result.content?.[0]?.text;
