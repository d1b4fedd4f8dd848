// The "client under test" of the conformance suite: starts the proxy in front of the URL it is given, plays the person
// at the approval API, and lets a client that knows no OAuth do the scenario's work through it.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeProxy, until } from '../lib/proxy.mjs';
import { program } from '../lib/stdio.mjs';
import { drive } from './drive.mjs';
import { settings } from './settings.mjs';

const scenario = process.env.MCP_CONFORMANCE_SCENARIO;
const wire = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION;
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const upstreamUrl = process.argv[2];

// Without the proxy: only to tell a fault of the client from one of the proxy.
if (process.env.CONFORMANCE_DIRECT) {
  await drive(scenario, wire, upstreamUrl, context);
  process.exit(0);
}

const dir = mkdtempSync(join(tmpdir(), 'mcp-reauth-conformance-'));
const { upstream = '', top = '' } = settings(scenario, context, dir);
const proxy = await makeProxy({ template: 'conformance.yaml', upstreamUrl, dir, values: { upstream, top } });
const stdio = process.env.CONFORMANCE_STDIO && {
  ...program(proxy, { upstream: 'scenario', args: ['--log-level', 'trace'] }),
  streamIsOpen: () => until(() => proxy.log.includes('"stream open"'), { what: 'the stream of the session' }),
};
if (!stdio) await proxy.start();

// A person who approves every question once, as soon as it comes up.
const seen = new Set();
let working = true;
const person = (async () => {
  while (working) {
    for (const { id } of await proxy.waiting().catch(() => [])) {
      if (seen.has(id)) continue;
      seen.add(id);
      await proxy.approve(id).catch((error) => console.error(`approval ${id}: ${error.message}`));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
})();

let failure;
try {
  await drive(scenario, wire, stdio || `${proxy.origin}/scenario`, context);
} catch (error) {
  failure = error;
  console.error(error);
}
working = false;
await person;
const log = proxy.log;
await proxy.close();
console.error(`approvals: ${seen.size}\n${log}`);
process.exit(failure ? 1 : 0);
