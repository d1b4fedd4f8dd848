// A real MCP server (SDK v1, Streamable HTTP with sessions) behind bearer tokens: 401 with resource_metadata, 403
// insufficient_scope for the admin tool, a GET stream with a heartbeat, and counters of what reached it.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express from 'express';
import * as jose from 'jose';
import { z } from 'zod';

export const text = (value) => ({ content: [{ type: 'text', text: value }] });

/// The tools both generations of server offer.
export function addTools(server, counts) {
  const count = (name) => (counts.tools[name] = (counts.tools[name] ?? 0) + 1);
  server.registerTool('echo', { description: 'Says it again', inputSchema: z.object({ message: z.string() }) },
    async ({ message }) => (count('echo'), text(message)));
  server.registerTool('slow', { description: 'Takes its time', inputSchema: z.object({ ms: z.number() }) },
    async ({ ms }) => (count('slow'), await new Promise((r) => setTimeout(r, ms)), text(`after ${ms} ms`)));
  server.registerTool('admin', { description: 'Needs the scope mcp:admin', inputSchema: z.object({}) },
    async () => (count('admin'), text('administered')));
}

/// Express middleware: verifies the token as a resource server must, and challenges as MCP says.
export function bearer({ issuer, publicKeys, resource, metadataUrl, counts }) {
  const challenge = (res, status, parameters) => {
    const all = { ...parameters, resource_metadata: metadataUrl() };
    res.status(status)
      .set('WWW-Authenticate', `Bearer ${Object.entries(all).map(([k, v]) => `${k}="${v}"`).join(', ')}`)
      .json({ error: parameters.error ?? 'unauthorized' });
  };
  /// RFC 9449, section 4.3: the proof is of this request, and of the key that the token is bound to.
  const proven = async (req, bound) => {
    const { payload, protectedHeader } = await jose.jwtVerify(req.headers.dpop ?? '', jose.EmbeddedJWK, { typ: 'dpop+jwt' });
    const key = await jose.calculateJwkThumbprint(protectedHeader.jwk);
    if (key !== bound || payload.htm !== req.method || payload.htu !== resource()) throw new Error('not proven');
    counts.proofs = (counts.proofs ?? 0) + 1;
  };
  return async (req, res, next) => {
    const [, scheme, token] = /^(Bearer|DPoP) (.+)$/i.exec(req.headers.authorization ?? '') ?? [];
    if (!token) {
      counts.unauthorized++;
      return challenge(res, 401, { scope: 'mcp:tools' });
    }
    let claims;
    try {
      claims = (await jose.jwtVerify(token, publicKeys, { issuer, audience: resource() })).payload;
      if (claims.cnf?.jkt && scheme.toLowerCase() !== 'dpop') throw new Error('a bound token without a proof');
      if (claims.cnf?.jkt) await proven(req, claims.cnf.jkt);
    } catch (error) {
      counts.rejected++;
      counts.rejections.push(error.code ?? error.message);
      return challenge(res, 401, { error: 'invalid_token', error_description: 'The access token is not valid' });
    }
    if (claims.iat < counts.revokedBefore) {
      counts.rejected++;
      counts.rejections.push('revoked');
      return challenge(res, 401, { error: 'invalid_token', error_description: 'The access token was revoked' });
    }
    counts.tokens.add(claims.jti);
    counts.bearers.add(token);
    if (req.headers.traceparent) counts.traceparents.push(req.headers.traceparent);
    counts.subjects[claims.sub] = (counts.subjects[claims.sub] ?? 0) + 1;
    const said = req.headers['x-person']; // whose request it is, as its client says
    if (said) {
      if (said !== claims.sub) counts.mixed++;
      (counts.people[claims.sub] ??= { tokens: new Set() }).tokens.add(claims.jti);
    }
    const messages = Array.isArray(req.body) ? req.body : [req.body];
    const wantsAdmin = messages.some((m) => (['tools/call', 'prompts/get'].includes(m?.method) && m.params?.name === 'admin') ||
      (m?.method === 'resources/read' && /^admin:/.test(m.params?.uri)));
    if (wantsAdmin && !String(claims.scope ?? '').split(' ').includes('mcp:admin')) {
      counts.forbidden++;
      return challenge(res, 403, { error: 'insufficient_scope', scope: 'mcp:admin' });
    }
    next();
  };
}

export const newCounts = () => ({
  unauthorized: 0, rejected: 0, rejections: [], forbidden: 0, posts: 0, streams: 0, heartbeats: 0, sessions: 0,
  revokedBefore: 0, // tokens issued before that second are dead, as an administrator wishes
  tools: {}, tokens: new Set(), bearers: new Set(), traceparents: [], people: {}, subjects: {}, mixed: 0,
});

/// Starts an express app on a free loopback port, with the PRM document and the bearer check in front of `mount`. `open`: without them.
export async function startProtected({ authorizationServer, mount, open = false, port = 0 }) {
  const app = express();
  const http = createServer(app);
  await new Promise((resolve) => http.listen(port, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${http.address().port}`;
  const counts = newCounts();
  const url = `${origin}/mcp`;
  if (!open) app.get('/.well-known/oauth-protected-resource/mcp', (req, res) => {
    res.json({ resource: url, authorization_servers: [authorizationServer.issuer], scopes_supported: ['mcp:tools'] });
  });
  app.use(express.json({ limit: '8mb' }));
  if (!open) app.use('/mcp', bearer({
    issuer: authorizationServer.issuer, publicKeys: authorizationServer.publicKeys, counts,
    resource: () => url, metadataUrl: () => `${origin}/.well-known/oauth-protected-resource/mcp`,
  }));
  const stop = mount(app, counts);
  return {
    url, origin, counts,
    close: async () => {
      await stop?.();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/// A server of the 2025 generations, with sessions and a GET stream that beats every `heartbeat` ms. `extend` gives it more than tools.
export function startMcpServer({ authorizationServer, heartbeat = 250, port = 0, extend = () => {} }) {
  return startProtected({
    authorizationServer, port,
    mount: (app, counts) => {
      const sessions = new Map();
      const timers = new Set();
      const open = async () => {
        const server = new McpServer({ name: 'e2e', version: '1.0.0' }, { capabilities: { logging: {} } });
        addTools(server, counts);
        extend(server);
        const transport = new StreamableHTTPServerTransport({
          sessionIdGenerator: () => randomUUID(),
          onsessioninitialized: (id) => { sessions.set(id, transport); counts.sessions++; },
        });
        await server.connect(transport);
        let beat = 0;
        const timer = setInterval(() => {
          if (!counts.streams) return;
          server.sendLoggingMessage({ level: 'info', data: beat++ }).then(() => counts.heartbeats++, () => {});
        }, heartbeat);
        timers.add(timer);
        return transport;
      };
      app.all('/mcp', async (req, res) => {
        if (req.method === 'POST') counts.posts++;
        if (req.method === 'GET') counts.streams++;
        const id = req.headers['mcp-session-id'];
        const transport = id ? sessions.get(id) : await open();
        if (!transport) return res.status(404).json({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } });
        await transport.handleRequest(req, res, req.body);
      });
      return async () => {
        for (const timer of timers) clearInterval(timer);
        for (const transport of sessions.values()) await transport.close();
      };
    },
  });
}
