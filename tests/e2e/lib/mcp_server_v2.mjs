// A real MCP server of SDK v2, both eras at one URL: stateless 2026-07-28, and stateless service for 2025 clients.
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { addTools, startProtected } from './mcp_server.mjs';

export function startMcpServerV2({ authorizationServer, port = 0 }) {
  return startProtected({
    authorizationServer, port,
    mount: (app, counts) => {
      counts.eras = {};
      const handler = createMcpHandler(({ era }) => {
        counts.eras[era] = (counts.eras[era] ?? 0) + 1;
        const server = new McpServer({ name: 'e2e-v2', version: '1.0.0' });
        addTools(server, counts);
        return server;
      });
      const node = toNodeHandler(handler);
      app.all('/mcp', async (req, res) => {
        if (req.method === 'POST') counts.posts++;
        await node(req, res, req.body);
      });
      return () => handler.close?.();
    },
  });
}
