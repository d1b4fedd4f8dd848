// The code that most hosted MCP servers run: Cloudflare's workers-oauth-provider on workerd, authorization and resource server in one
// worker, with the MCP server of SDK v2 behind it (in this process, by a service binding).
import { readFileSync } from 'node:fs';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { Miniflare } from 'miniflare';
import { addTools } from './mcp_server.mjs';

const library = readFileSync(new URL('../node_modules/@cloudflare/workers-oauth-provider/dist/oauth-provider.js', import.meta.url), 'utf8');

const worker = `
import { OAuthProvider, insufficientScope, authorizationErrorRedirect } from './oauth-provider.js';

const api = {
  async fetch(request, env, ctx) {
    const asked = request.method === 'POST' ? await request.clone().json().catch(() => ({})) : {};
    if (asked.method === 'tools/call' && asked.params?.name === 'admin' && !ctx.auth.scope.includes('mcp:admin'))
      return insufficientScope(ctx.auth, ['mcp:tools', 'mcp:admin']);
    return env.MCP.fetch(request);
  },
};
const pages = {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname !== '/authorize') return new Response('not here', { status: 404 });
    const asked = await env.OAUTH_PROVIDER.parseAuthRequest(new Request(url));
    if (request.method === 'GET')
      return new Response('<!doctype html><title>Allow</title><form method="post" action="/authorize' + url.search.replaceAll('&', '&amp;') + '"><button>Allow</button></form>',
        { headers: { 'content-type': 'text/html' } });
    const { redirectTo } = await env.OAUTH_PROVIDER.completeAuthorization({ request: asked, userId: 'ada', metadata: {}, scope: asked.scope, props: { userId: 'ada' } });
    return Response.redirect(redirectTo, 302);
  },
};
export default {
  fetch(request, env, ctx) {
    const { origin } = new URL(request.url);
    return new OAuthProvider({
      apiRoute: '/mcp', apiHandler: api, defaultHandler: pages,
      authorizeEndpoint: '/authorize', tokenEndpoint: '/oauth/token', clientRegistrationEndpoint: '/oauth/register',
      scopesSupported: ['mcp:tools', 'mcp:admin', 'offline_access'], requiredScopes: ['mcp:tools'], accessTokenTTL: 60,
      resourceMetadata: { resource: origin + '/mcp', authorization_servers: [origin] },
    }).fetch(request, env, ctx);
  },
};
`;

/// { url, counts, expire, revokeAll, grants, close }: `expire` ends every access token, as time would; `revokeAll` every grant; `grants` counts them.
export async function startCloudflare() {
  const counts = { tools: {}, tokenRequests: 0, registrations: 0, refreshes: 0 };
  const mcp = createMcpHandler(() => {
    const server = new McpServer({ name: 'on-workerd', version: '1.0.0' });
    addTools(server, counts);
    return server;
  });
  const flare = new Miniflare({
    host: '127.0.0.1', port: 0, compatibilityDate: '2025-06-01', kvNamespaces: ['OAUTH_KV'],
    modules: [
      { type: 'ESModule', path: 'worker.js', contents: worker },
      { type: 'ESModule', path: 'oauth-provider.js', contents: library },
    ],
    serviceBindings: {
      MCP: async (request) => {
        const { method, headers, url } = request;
        const body = method === 'GET' || method === 'DELETE' ? undefined : await request.text();
        return mcp.fetch(new Request(url, { method, headers: [...headers], body }));
      },
    },
  });
  const { origin } = new URL(await flare.ready);
  const stored = async (prefix) => (await (await flare.getKVNamespace('OAUTH_KV')).list({ prefix })).keys.map(({ name }) => name);
  const remove = async (prefix) => {
    const kv = await flare.getKVNamespace('OAUTH_KV');
    for (const name of await stored(prefix)) await kv.delete(name);
  };
  return {
    url: `${origin}/mcp`, origin, counts,
    expire: () => remove('token:'),
    revokeAll: async () => { await remove('token:'); await remove('grant:'); },
    grants: async () => (await stored('grant:')).length,
    clients: async () => (await stored('client:')).length,
    close: async () => { await mcp.close?.(); await flare.dispose(); },
  };
}
