// better-auth as an authorization server (its OAuth 2.1 provider), with login and consent pages as an application has them.
import { createServer } from 'node:http';
import { memoryAdapter } from '@better-auth/memory-adapter';
import { oauthProvider } from '@better-auth/oauth-provider';
import { betterAuth } from 'better-auth';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';
import express from 'express';
import * as jose from 'jose';

const account = { email: 'ada@example.com', password: 'a password of some length' };
const page = (title, query) => `<!doctype html><title>${title}</title><form method="post" action="?${query.replaceAll('&', '&amp;')}"><button>${title}</button></form>`;
const queryOf = (req) => req.originalUrl.split('?')[1] ?? '';

/// As startAuthorizationServer. `resource`: the one that it issues tokens for.
export async function startBetterAuth({ resource, accessTokenSeconds = 2 }) {
  const app = express();
  const http = createServer(app);
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${http.address().port}`;
  const issuer = `${origin}/api/auth`;
  const tables = {};
  for (const name of ['user', 'session', 'account', 'verification', 'jwks', 'oauthClient', 'oauthAccessToken', 'oauthRefreshToken', 'oauthConsent', 'oauthResource',
    'oauthClientResource', 'oauthClientAssertion', 'rateLimit']) tables[name] = [];
  const counts = { registrations: 0, authorizations: 0, refreshes: 0, revocations: 0, errors: [] };
  const auth = betterAuth({
    baseURL: origin, basePath: '/api/auth', secret: 'an e2e secret that protects nothing', database: memoryAdapter(tables),
    emailAndPassword: { enabled: true }, telemetry: { enabled: false }, rateLimit: { enabled: false }, logger: { level: 'error' },
    plugins: [jwt(), oauthProvider({
      loginPage: '/sign-in', consentPage: '/consent', scopes: ['openid', 'offline_access', 'mcp:tools', 'mcp:admin'],
      allowDynamicClientRegistration: true, allowUnauthenticatedClientRegistration: true, accessTokenExpiresIn: accessTokenSeconds,
      clientRegistrationDefaultScopes: ['openid', 'offline_access', 'mcp:tools', 'mcp:admin'],
      resources: [{ identifier: resource, accessTokenTtl: accessTokenSeconds, allowedScopes: ['mcp:tools', 'mcp:admin', 'offline_access'] }],
      clientRegistrationDefaultResources: [resource], clientRegistrationAllowedResources: [resource],
      silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
    })],
  });
  await auth.api.signUpEmail({ body: { ...account, name: 'Ada' } });
  /// What a page of the application asks of it, and where the browser goes then.
  const ask = async (req, res, path, body) => {
    const answer = await auth.handler(new Request(`${issuer}${path}`, {
      method: 'POST', headers: { 'content-type': 'application/json', origin, cookie: req.headers.cookie ?? '' },
      body: JSON.stringify({ ...body, oauth_query: queryOf(req) }),
    }));
    const said = await answer.json().catch(() => ({}));
    const to = said.url ?? said.redirect_uri ?? said.redirectURI ?? answer.headers.get('location');
    if (!to) counts.errors.push(`${path}: ${answer.status} ${JSON.stringify(said)}`);
    for (const cookie of answer.headers.getSetCookie()) res.append('set-cookie', cookie);
    return to ? res.redirect(302, to) : res.status(500).json(said);
  };
  app.get('/sign-in', (req, res) => res.type('html').send(page('Sign in', queryOf(req))));
  app.post('/sign-in', (req, res) => ask(req, res, '/sign-in/email', account));
  app.get('/consent', (req, res) => res.type('html').send(page('Allow', queryOf(req))));
  app.post('/consent', (req, res) => ask(req, res, '/oauth2/consent', { accept: true }));
  const served = toNodeHandler(auth);
  app.use((req, res, next) => {
    if (/text\/html/.test(req.headers.accept)) req.headers['sec-fetch-mode'] = 'navigate'; // Node's fetch says cors of itself
    const path = req.path.replace('/api/auth/oauth2', '');
    if (path === '/register') counts.registrations++;
    if (path === '/authorize') counts.authorizations++;
    if (path === '/revoke') counts.revocations++;
    if (['/token', '/revoke'].includes(path)) {
      const write = res.write.bind(res);
      let sent = '';
      req.on('data', (data) => { sent += data; });
      res.write = (chunk, ...rest) => {
        if (res.statusCode >= 400) counts.errors.push(`${path}: ${res.statusCode} ${Buffer.from(chunk)}`);
        return write(chunk, ...rest);
      };
      res.on('finish', () => { if (/grant_type=refresh_token/.test(sent)) counts.refreshes++; });
    }
    next();
  });
  app.use((req, res) => served(req, res));
  const keys = await auth.handler(new Request(`${issuer}/jwks`)).then((answer) => answer.json());
  return {
    issuer, counts, tables, publicKeys: jose.createLocalJWKSet(keys),
    /// How many refresh tokens could still be used.
    living: () => tables.oauthRefreshToken.filter(({ revoked }) => !revoked).length,
    close: () => new Promise((resolve) => { http.closeAllConnections(); http.close(resolve); }),
  };
}
