// A real MCP server of before Streamable HTTP (2024-11-05), of SDK v1: one stream, and an endpoint that it names.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { addTools, startProtected } from './mcp_server.mjs';

/// The SDK's HTTP+SSE server: its stream is at the upstream's URL, its messages at another path of the origin.
export function startOldServer({ authorizationServer }) {
  return startProtected({
    authorizationServer,
    mount: (app, counts) => {
      const open = new Map();
      app.get('/mcp', async (req, res) => {
        const transport = new SSEServerTransport('/messages', res);
        open.set(transport.sessionId, transport);
        counts.sessions++;
        res.on('close', () => open.delete(transport.sessionId));
        const server = new McpServer({ name: 'old', version: '1.0.0' });
        addTools(server, counts);
        await server.connect(transport);
      });
      app.all('/mcp', (req, res) => { counts.refused = (counts.refused ?? 0) + 1; res.status(405).end(); });
      app.post('/messages', async (req, res) => {
        counts.posts++;
        counts.authorized = (counts.authorized ?? 0) + (req.headers.authorization ? 1 : 0);
        const transport = open.get(req.query.sessionId);
        if (!transport) return res.status(404).end();
        await transport.handlePostMessage(req, res, req.body);
      });
      return async () => { for (const transport of open.values()) await transport.close(); };
    },
  });
}
