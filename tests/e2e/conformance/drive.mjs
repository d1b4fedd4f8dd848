// What the client under test does in each scenario: plain MCP, by SDK clients that know no OAuth.
import { createHash } from 'node:crypto';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { v1, v2 } from '../lib/clients.mjs';
import { stdioV1, stdioV2 } from '../lib/stdio.mjs';

const modern = '2026-07-28';
const anything = z.looseObject({});

/// `to`: a URL, or what starts a program that speaks for the client.
function connect(to, wire, { options, mode = { pin: modern }, ...rest } = {}) {
  if (typeof to === 'object') return wire === modern ? stdioV2(to, { mode, options }) : stdioV1(to, { options });
  return wire === modern ? v2(to, { mode, options, ...rest }) : v1(to, { options, ...rest });
}

async function listAndCall(client) {
  const { tools } = await client.listTools();
  if (tools[0]) await client.callTool({ name: tools[0].name, arguments: { a: 2, b: 3 } });
}

const accept = () => ({ action: 'accept', content: { confirmed: true } });

/// scenario → what to do with an open client (and how to make it)
/// A fetch for the client's transport, and the wait for the answer to its first GET: the session's stream is open then.
function watchedStream(to) {
  let opened;
  const open = new Promise((resolve) => (opened = resolve));
  return {
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (init?.method === 'GET') opened();
      return response;
    },
    streamIsOpen: () => (typeof to === 'object' ? to.streamIsOpen() : open),
  };
}

const special = {
  'auth/scope-step-up': { run: async (client) => { await client.listTools(); await client.callTool({ name: 'test-tool', arguments: {} }); } },
  'json-schema-ref-no-deref': { run: (client) => client.listTools() },
  'json-schema-2020-12-preservation': {
    run: async (client) => {
      const { tools } = await client.listTools();
      const focal = tools.find((tool) => tool.name === 'json_schema_2020_12_tool');
      await client.callTool({ name: 'json_schema_echo', arguments: { schema: focal.inputSchema } });
    },
  },
  // The server asks by the session's stream, and what it asks before that is open is lost.
  'elicitation-sep1034-client-defaults': (to) => {
    const { fetch, streamIsOpen } = watchedStream(to);
    return {
      options: { capabilities: { elicitation: { form: { applyDefaults: true } } } },
      transport: { fetch },
      prepare: (client) => client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept', content: {} })),
      run: async (client) => {
        await streamIsOpen();
        await client.callTool({ name: 'test_client_elicitation_defaults', arguments: {} });
      },
    };
  },
  // The scenario takes any GET after the call for a reconnection: the client's own stream has to be open before it.
  'sse-retry': (to) => {
    const { fetch, streamIsOpen } = watchedStream(to);
    return {
      transport: { reconnectionOptions: { initialReconnectionDelay: 1000, maxReconnectionDelay: 10000, reconnectionDelayGrowFactor: 1.5, maxRetries: 3 }, fetch },
      run: async (client) => {
        await streamIsOpen();
        await client.callTool({ name: 'test_reconnection', arguments: {} });
      },
    };
  },
  'request-metadata': { mode: 'auto', run: (client) => client.listTools() },
  'sep-2322-client-request-state': {
    options: { capabilities: { elicitation: { form: {} } } },
    prepare: (client) => client.setRequestHandler('elicitation/create', async () => accept()),
    run: async (client) => {
      await client.listTools();
      await Promise.all([
        client.callTool({ name: 'test_mrtr_echo_state', arguments: {} }),
        client.callTool({ name: 'test_mrtr_unrelated', arguments: {} }),
      ]);
      await client.callTool({ name: 'test_mrtr_no_state', arguments: {} });
      await client.callTool({ name: 'test_mrtr_no_result_type', arguments: {} }).catch(() => {});
    },
  },
  'http-standard-headers': {
    run: async (client) => {
      const { tools } = await client.listTools();
      await client.callTool({ name: tools[0].name, arguments: {} });
      const { resources } = await client.listResources();
      await client.readResource({ uri: resources[0].uri });
      const { prompts } = await client.listPrompts();
      await client.getPrompt({ name: prompts[0].name });
    },
  },
  'http-custom-headers': {
    run: async (client, context) => {
      await client.listTools();
      for (const call of context.toolCalls) await client.callTool(call);
    },
  },
  'http-invalid-tool-headers': {
    run: async (client) => {
      const { tools } = await client.listTools();
      for (const tool of tools) await client.callTool({ name: tool.name, arguments: {} });
    },
  },
  'sep-2640-client-no-prefetch': { run: (client) => skills(client) },
};
for (const mode of ['digest', 'size', 'frontmatter']) special[`sep-2640-client-verify-${mode}`] = { run: loadSkill };

const skills = async (client) => {
  const { result } = await raw(client, 'skills/list', {});
  return result.skills;
};

// The SDKs have no words for skills: a request of the client's own transport, as a host would make it.
function raw(client, method, params) {
  return client.request({ method, params }, anything).then((result) => ({ result }));
}

async function loadSkill(client) {
  const [skill] = await skills(client);
  for (const { uri, digest, size } of skill.resources) {
    const { contents: [{ text }] } = await client.readResource({ uri });
    const head = /^---\n([^]*?)\n---/.exec(text)?.[1].split('\n').map((line) => line.split(': ')) ?? [];
    const fine = Buffer.byteLength(text) === size
      && `sha256:${createHash('sha256').update(text).digest('hex')}` === digest
      && head.every(([key, value]) => skill.frontmatter[key] === value);
    if (!fine) throw new Error(`${uri} is not what the listing promised`);
  }
}

/// Runs the scenario against a URL, or through a program.
export async function drive(scenario, wire, to, context) {
  const found = special[scenario] ?? { run: listAndCall };
  const how = typeof found === 'function' ? found(to) : found;
  const client = connect(to, wire, how);
  how.prepare?.(client);
  await client.open();
  try {
    await how.run(client, context);
  } finally {
    await client.close().catch(() => {});
  }
}
