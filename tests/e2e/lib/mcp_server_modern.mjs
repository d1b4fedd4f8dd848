// An MCP server of SDK v2 that speaks 2026-07-28 only: no `initialize`, questions inside results, changes on a stream that is asked for.
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, inputRequired, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { addTools, startProtected, text } from './mcp_server.mjs';

export async function startModernServer({ authorizationServer }) {
  let handler;
  let more = false;
  const rs = await startProtected({
    authorizationServer,
    mount: (app, counts) => {
      counts.methods = {};
      handler = createMcpHandler(() => {
        const server = new McpServer({ name: 'modern', version: '1.0.0' }, { capabilities: { tools: { listChanged: true }, logging: {} }, instructions: 'be kind' });
        addTools(server, counts);
        if (more) server.registerTool('more', { inputSchema: z.object({}) }, async () => text('more'));
        server.registerTool('ask_both', { inputSchema: z.object({}) }, async (args, { mcpReq }) => {
          const { person, model } = mcpReq.inputResponses ?? {};
          if (!person || !model) {
            return inputRequired({
              requestState: 'state-1',
              inputRequests: {
                person: inputRequired.elicit({ message: 'Name?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } } } }),
                model: inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: 'and?' } }], maxTokens: 9 }),
              },
            });
          }
          counts.asked = (counts.asked ?? 0) + 1;
          return text(`${person.content?.name ?? JSON.stringify(person)} ${model.content?.text ?? JSON.stringify(model)}`);
        });
        return server;
      }, { legacy: 'reject' });
      const node = toNodeHandler(handler);
      app.all('/mcp', async (req, res) => {
        const method = req.body?.method ?? req.method;
        counts.methods[method] = (counts.methods[method] ?? 0) + 1;
        await node(req, res, req.body);
      });
      return () => handler.close?.();
    },
  });
  return { ...rs, grow: () => { more = true; handler.notify.toolsChanged(); } };
}
