// An MCP server (SDK v1, sessions) that talks back: asks the client's model, its person and its roots, and numbers its events,
// so that a stream that was cut can be resumed. `cutStreams()` breaks what is open, `forget()` loses every session.
import { randomUUID } from 'node:crypto';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';
import { addTools, startProtected, text } from './mcp_server.mjs';

class Events {
  all = [];
  async storeEvent(stream, message) {
    this.all.push({ id: `${stream}_${this.all.length}`, stream, message });
    return this.all.at(-1).id;
  }
  async replayEventsAfter(last, { send }) {
    const at = this.all.findIndex(({ id }) => id === last);
    const { stream } = this.all[at];
    for (const event of this.all.slice(at + 1)) if (event.stream === stream) await send(event.id, event.message);
    return stream;
  }
}

export async function startTalkingServer({ authorizationServer }) {
  const sessions = new Map();
  const open = new Set();
  const rs = await startProtected({
    authorizationServer,
    mount: (app, counts) => {
      counts.cuts = 0;
      const begin = async () => {
        const server = new McpServer({ name: 'talks', version: '1.0.0' }, { capabilities: { logging: {} } });
        addTools(server, counts);
        server.registerTool('ask_model', { inputSchema: z.object({}) }, async () => {
          const { content } = await server.server.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: 'and?' } }], maxTokens: 9 });
          return text(`the model said ${content.text}`);
        });
        server.registerTool('ask_person', { inputSchema: z.object({}) }, async () => {
          const { action, content } = await server.server.elicitInput({ message: 'Name?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } } } });
          return text(`${action} ${content.name}`);
        });
        server.registerTool('ask_roots', { inputSchema: z.object({}) }, async () => text((await server.server.listRoots()).roots.map((r) => r.uri).join(' ')));
        server.registerTool('count', { inputSchema: z.object({ to: z.number(), ms: z.number() }) }, async ({ to, ms }, { sendNotification }) => {
          for (let i = 0; i < to; i++) {
            await sendNotification({ method: 'notifications/message', params: { level: 'info', data: i } });
            await new Promise((resolve) => setTimeout(resolve, ms));
          }
          counts.tools.count = (counts.tools.count ?? 0) + 1;
          return text(`counted to ${to}`);
        });
        const transport = new StreamableHTTPServerTransport({
          sessionIdGenerator: () => randomUUID(), eventStore: new Events(), retryInterval: 50,
          onsessioninitialized: (id) => { sessions.set(id, transport); counts.sessions++; },
        });
        await server.connect(transport);
        return transport;
      };
      app.all('/mcp', async (req, res) => {
        open.add(res);
        res.on('close', () => open.delete(res));
        if (req.method === 'DELETE') counts.deletes = (counts.deletes ?? 0) + 1;
        const id = req.headers['mcp-session-id'];
        const transport = id ? sessions.get(id) : await begin();
        if (!transport) return res.status(404).json({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } });
        await transport.handleRequest(req, res, req.body);
      });
      return async () => { for (const transport of sessions.values()) await transport.close(); };
    },
  });
  return {
    ...rs,
    cutStreams: () => { for (const res of open) if (res.headersSent) { rs.counts.cuts++; res.socket.destroy(); } },
    forget: () => { const lost = [...sessions.values()]; sessions.clear(); return lost.length; },
  };
}
