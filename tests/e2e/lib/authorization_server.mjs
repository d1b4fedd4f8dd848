// A real authorization server (oidc-provider) on loopback: rotating refresh tokens, short-lived access tokens, dynamic
// registration, resource indicators, a login and a consent form, and counters of what it was asked.
import { createServer } from 'node:http';
import express from 'express';
import * as jose from 'jose';
import Provider from 'oidc-provider';

const escape = (text) =>
  String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const form = (title, action, inner, button) => `<!doctype html><html lang="en"><title>${title}</title>
<main><h1>${title}</h1><form method="post" action="${action}">${inner}<button type="submit">${button}</button></form>
<form method="post" action="${action}/abort"><button type="submit">Refuse</button></form></main></html>`;

// oidc-provider's pages, without the fonts that they fetch from elsewhere
const devicePage = (title, inner, button, id, abort = '') => `<!doctype html><html lang="en"><title>${title}</title>
<main><h1>${title}</h1>${inner}<button type="submit" form="${id}">${button}</button>${abort}</main></html>`;
const plainDevicePages = {
  userCodeInputSource: async (ctx, inner, out, err) => {
    ctx.body = devicePage('Enter the code', `${err ? '<p>That did not work.</p>' : ''}${inner}`, 'Continue', 'op.deviceInputForm');
  },
  userCodeConfirmSource: async (ctx, inner) => {
    ctx.body = devicePage('Confirm', inner, 'Continue', 'op.deviceConfirmForm',
      '<button type="submit" form="op.deviceConfirmForm" name="abort" value="yes">Abort</button>');
  },
  successSource: async (ctx) => { ctx.body = '<!doctype html><html lang="en"><title>Done</title><main><h1>It was successful</h1></main></html>'; },
};

/// Starts one. `device`: it has device logins (RFC 8628), with its own pages. `scopes`: what resource servers may grant; `accessTokenSeconds`: life of an access token; `tokenDelay`: ms before the
// token endpoint looks at a request; `clients`: registered beforehand; `extend` gets its whole configuration and gives back
/// the one to use; `onSecret` hears every code, token and secret that is given away.
export async function startAuthorizationServer({
  scopes = ['mcp:tools', 'mcp:admin'],
  accessTokenSeconds = 2,
  tokenDelay = 0,
  device = false,
  clients = [],
  extend = (configuration) => configuration,
  port = 0,
  onSecret = () => {},
} = {}) {
  const app = express();
  const http = createServer(app);
  await new Promise((resolve) => http.listen(port, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${http.address().port}`;
  const { privateKey } = await jose.generateKeyPair('RS256', { extractable: true });
  const signingKey = { ...(await jose.exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'e2e' };

  const counts = {
    registrations: 0, authorizations: 0, codes: 0, refreshes: 0, refreshErrors: 0, reuses: 0, devices: 0, revokedGrants: 0, errors: [],
  };
  const settings = { accessTokenSeconds };
  let paused = false;

  const provider = new Provider(issuer, extend({
    clients,
    jwks: { keys: [signingKey] },
    cookies: { keys: ['an e2e key that protects nothing'] },
    scopes: ['openid', 'offline_access', ...scopes],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
    pkce: { required: () => true },
    rotateRefreshToken: () => true,
    issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    findAccount: async (ctx, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
    ttl: { AccessToken: accessTokenSeconds, Grant: 86400, Interaction: 600, RefreshToken: 86400, Session: 86400 },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true },
      deviceFlow: { enabled: device, ...(device && plainDevicePages) },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: async () => true,
        getResourceServerInfo: async (ctx, resource) => ({
          scope: scopes.join(' '),
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: settings.accessTokenSeconds,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  }));

  provider.on('registration_create.success', () => counts.registrations++);
  provider.on('grant.revoked', () => counts.revokedGrants++);
  provider.on('authorization.success', () => counts.authorizations++);
  provider.on('grant.success', (ctx) => {
    const type = ctx.oidc.params.grant_type;
    if (type === 'authorization_code') counts.codes++;
    if (type === 'refresh_token') counts.refreshes++;
    if (type === 'urn:ietf:params:oauth:grant-type:device_code') counts.devices++;
  });
  provider.on('grant.error', (ctx, error) => {
    counts.errors.push(`${error.error}: ${error.error_detail ?? error.error_description}`);
    if (ctx.oidc?.params?.grant_type === 'refresh_token') counts.refreshErrors++;
    if (/already used/.test(error.error_detail ?? '')) counts.reuses++;
  });
  for (const event of ['server_error', 'authorization.error', 'registration_create.error'])
    provider.on(event, (ctx, error) => counts.errors.push(`${event}: ${error.message} ${error.error_description ?? ''}`));

  app.get('/interaction/:uid', async (req, res) => {
    const { prompt, params, uid } = await provider.interactionDetails(req, res);
    const action = `/interaction/${uid}`;
    const page =
      prompt.name === 'login'
        ? form('Sign in', action, '<label>Account <input name="account" value="ada" required></label>', 'Sign in')
        : form('Allow access', action, `<p>It asks for: <b>${escape(params.scope ?? 'nothing in particular')}</b></p>`, 'Allow');
    res.type('html').send(page);
  });
  app.post('/interaction/:uid', express.urlencoded({ extended: false }), async (req, res) => {
    const { prompt, params, session, grantId } = await provider.interactionDetails(req, res);
    if (prompt.name === 'login')
      return provider.interactionFinished(req, res, { login: { accountId: req.body.account || 'ada' } }, { mergeWithLastSubmission: false });
    const grant = grantId
      ? await provider.Grant.find(grantId)
      : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details;
    if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
    if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
    for (const [resource, missing] of Object.entries(missingResourceScopes ?? {}))
      grant.addResourceScope(resource, missing.join(' '));
    return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  });
  app.post('/interaction/:uid/abort', async (req, res) =>
    provider.interactionFinished(req, res, { error: 'access_denied', error_description: 'The person said no.' }, { mergeWithLastSubmission: false }));
  app.use('/token', (req, res, next) => { setTimeout(next, tokenDelay); });
  app.use((req, res, next) => {
    if (paused) return res.status(503).json({ error: 'temporarily_unavailable' });
    if (['/token', '/reg'].includes(req.path)) {
      const end = res.end.bind(res);
      res.end = (chunk, ...rest) => {
        try {
          const body = JSON.parse(chunk);
          for (const name of ['access_token', 'refresh_token', 'client_secret', 'registration_access_token'])
            if (body[name]) onSecret(body[name]);
        } catch { /* not JSON: nothing given away */ }
        return end(chunk, ...rest);
      };
    }
    const setHeader = res.setHeader.bind(res);
    res.setHeader = (name, value) => {
      const code = /^location$/i.test(name) && /[?&]code=([^&]+)/.exec(value)?.[1];
      if (code) onSecret(code);
      return setHeader(name, value);
    };
    next();
  });
  // MCP clients look here first; oidc-provider serves only the OpenID form.
  app.get('/.well-known/oauth-authorization-server', (req, res, next) => {
    req.url = '/.well-known/openid-configuration';
    next();
  });
  app.use(provider.callback());

  return {
    issuer,
    provider,
    counts,
    settings,
    /// While paused it answers everything with 503.
    pause: (yes) => { paused = yes; },
    /// That refresh token and everything of its grant ends, as if an administrator had revoked it.
    revoke: async (token) => {
      const found = await provider.RefreshToken.find(token);
      if (!found) return false;
      await provider.Grant.find(found.grantId).then((grant) => grant?.destroy());
      await found.destroy();
      return true;
    },
    /// Its process ends, and another begins with the same memory.
    crash: () => new Promise((resolve) => { http.closeAllConnections(); http.close(resolve); }),
    restart: () => new Promise((resolve) => http.listen(new URL(issuer).port, '127.0.0.1', resolve)),
    publicKeys: jose.createLocalJWKSet({ keys: [signingKey].map(({ kty, n, e, alg, kid, use }) => ({ kty, n, e, alg, kid, use })) }),
    close: () => new Promise((resolve) => { http.closeAllConnections(); http.close(resolve); }),
  };
}
