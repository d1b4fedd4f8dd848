// A company of parts that nobody here wrote: an identity provider and the servers' authorization server, both oidc-provider. Token exchange to
// an ID-JAG and the JWT bearer grant are custom grants of theirs, which check what the drafts demand.
import { createHash, randomUUID } from 'node:crypto';
import * as jose from 'jose';
import { startAuthorizationServer } from './authorization_server.mjs';
import { signIn } from './person.mjs';

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const idJag = 'urn:ietf:params:oauth:token-type:id-jag';
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';

// oidc-provider's pages, without what they fetch from elsewhere
const plainLogout = async (ctx, inner) => {
  ctx.body = `<!doctype html><html lang="en"><title>Sign out</title><main><h1>Sign out?</h1>${inner}<button type="submit" form="op.logoutForm" name="logout" value="yes">Yes</button></main></html>`;
};
const plainEnd = async (ctx) => { ctx.body = '<!doctype html><html lang="en"><title>Signed out</title><main><h1>Signed out</h1></main></html>'; };

const refuse = (ctx, error, description) => {
  ctx.status = 400;
  ctx.body = { error, error_description: description };
};

/// `groups`: of each person. `audience`: whom people's tokens are for.
/// `gate`: what the gate's client at the identity provider has beside its secret. `people`: of each person, claims of their own.
export async function startCompany({ groups, audience, tokenSeconds = 2, gate = {}, people = {} }) {
  const { privateKey, publicKey } = await jose.generateKeyPair('ES256', { extractable: true });
  const idJagKey = await jose.exportJWK(privateKey);
  const idp = await startAuthorizationServer({
    scopes: ['mcp'],
    accessTokenSeconds: 900,
    clients: [
      { client_id: 'desk', token_endpoint_auth_method: 'none', redirect_uris: ['http://127.0.0.1:1/desk'], grant_types: ['authorization_code'], response_types: ['code'] },
      { client_id: 'gate', client_secret: 'secret of the gate', redirect_uris: [], response_types: [], grant_types: [exchange], ...gate },
    ],
    extend: (c) => ({
      ...c,
      jwks: { keys: [...c.jwks.keys, { ...idJagKey, alg: 'ES256', use: 'sig', kid: 'id-jag' }] },
      extraTokenClaims: async (ctx, token) => ({ groups: groups[token.accountId] ?? [] }),
      clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
      // its clients are on loopback here, which it refuses to call otherwise
      fetch: async (url, { dispatcher: _, ...options }) => fetch(url, options),
      // groups come with userinfo, as with most providers, not with the ID token
      claims: { openid: ['sub'], profile: ['name', 'groups'], email: ['email'] },
      scopes: [...c.scopes, 'profile', 'email'],
      findAccount: async (ctx, sub) => ({
        accountId: sub,
        claims: async () => ({ sub, name: sub, email: `${sub}@acme.example`, groups: groups[sub] ?? [], ...people[sub] }),
      }),
      features: { ...c.features, backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true, logoutSource: plainLogout, postLogoutSuccessSource: plainEnd } },
    }),
  });
  const as = await startAuthorizationServer({
    accessTokenSeconds: tokenSeconds,
    clients: [{ client_id: 'gate-at-servers', client_secret: 'another secret of the gate', redirect_uris: [], response_types: [], grant_types: [jwtBearer] }],
    extend: (c) => ({ ...c, scopes: ['openid', 'mcp:tools', 'mcp:admin'] }),
  });
  const counts = { exchanges: 0, assertions: 0, refused: [], used: new Set(), told: [] };
  idp.provider.on('backchannel.success', (ctx, client, account) => counts.told.push(`${client.clientId} of ${account}`));
  idp.provider.on('backchannel.error', (ctx, error, client) => counts.refused.push(`logout at ${client.clientId}: ${error.message} ${error.cause ?? ""}`));

  idp.provider.registerGrantType(exchange, async (ctx) => {
    const { subject_token: subject, subject_token_type: type, requested_token_type: wanted, audience: server, resource, scope } = ctx.oidc.params;
    // what it would exchange for anything else a person has to agree to first
    if (!wanted) return refuse(ctx, 'interaction_required', 'ask the person');
    if (type !== accessToken || wanted !== idJag) return refuse(ctx, 'invalid_request', 'of that type');
    if (server !== as.issuer) return refuse(ctx, 'invalid_target', 'that server is not ours');
    let claims;
    try {
      claims = (await jose.jwtVerify(subject, idp.publicKeys, { issuer: idp.issuer, audience, typ: 'at+jwt' })).payload;
    } catch (e) {
      counts.refused.push(`exchange: ${e.code ?? e.message}`);
      return refuse(ctx, 'invalid_grant', 'the subject token is not good');
    }
    counts.exchanges++;
    ctx.body = {
      access_token: await new jose.SignJWT({ client_id: 'gate-at-servers', scope, resource })
        .setProtectedHeader({ alg: 'ES256', typ: 'oauth-id-jag+jwt', kid: 'id-jag' })
        .setIssuer(idp.issuer).setAudience(as.issuer).setSubject(claims.sub).setJti(randomUUID()).setIssuedAt().setExpirationTime('60s').sign(privateKey),
      issued_token_type: idJag, token_type: 'N_A', expires_in: 60, scope,
    };
  }, ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'resource', 'scope']);

  as.provider.registerGrantType(jwtBearer, async (ctx) => {
    const { assertion, scope, resource } = ctx.oidc.params;
    const { client } = ctx.oidc;
    let claims;
    try {
      claims = (await jose.jwtVerify(assertion, publicKey, { issuer: idp.issuer, audience: as.issuer, typ: 'oauth-id-jag+jwt', requiredClaims: ['jti', 'sub', 'exp'] })).payload;
      if (claims.client_id !== client.clientId) throw new Error('of another client');
      if (counts.used.has(claims.jti)) throw new Error('used twice');
      if (claims.resource !== resource) throw new Error('for another resource');
    } catch (e) {
      counts.refused.push(`assertion: ${e.code ?? e.message}`);
      return refuse(ctx, 'invalid_grant', 'the assertion is not good');
    }
    counts.used.add(claims.jti);
    counts.assertions++;
    const token = new as.provider.AccessToken({ accountId: claims.sub, client, scope, gty: 'jwt_bearer', grantId: randomUUID() });
    token.resourceServer = new as.provider.ResourceServer(resource, {
      scope: 'mcp:tools mcp:admin', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: tokenSeconds, jwt: { sign: { alg: 'RS256' } },
    });
    ctx.body = { access_token: await token.save(), token_type: 'Bearer', expires_in: token.expiration, scope };
  }, ['assertion', 'scope', 'resource']);

  return { idp, as, counts, token: (person, cookies) => tokenOf(idp, audience, person, cookies), signOut: (cookies) => signOutAt(idp, cookies), close: () => Promise.all([idp.close(), as.close()]) };
}

/// The person signs in at the company as any client of its would have them: authorization code with PKCE, for `audience`.
async function tokenOf(idp, audience, person, cookies) {
  const redirect = 'http://127.0.0.1:1/desk';
  const verifier = randomUUID() + randomUUID();
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const url = `${idp.issuer}/auth?${new URLSearchParams({
    client_id: 'desk', response_type: 'code', redirect_uri: redirect, scope: 'openid mcp', resource: audience, code_challenge: challenge, code_challenge_method: 'S256',
  })}`;
  const { callback } = await signIn(url, { account: person, stopAt: redirect, cookies });
  const code = new URL(callback).searchParams.get('code');
  const answer = await (await fetch(`${idp.issuer}/token`, {
    method: 'POST', body: new URLSearchParams({
      grant_type: 'authorization_code', client_id: 'desk', redirect_uri: redirect, code, code_verifier: verifier, resource: audience,
    }),
  })).json();
  if (!answer.access_token) throw new Error(JSON.stringify(answer));
  return answer.access_token;
}

/// Whoever has that browser signs out at the company: its provider then tells every client of the session.
async function signOutAt(idp, cookies) {
  const at = new URL(`${idp.issuer}/session/end`);
  const jar = cookies.get(at.host);
  const send = async (url, init = {}) => {
    const answer = await fetch(url, { redirect: 'manual', ...init, headers: { accept: 'text/html', ...init.headers, cookie: [...jar].map(([k, v]) => `${k}=${v}`).join('; ') } });
    for (const line of answer.headers.getSetCookie()) {
      const [name, ...value] = line.split(';')[0].split('=');
      jar.set(name, value.join('='));
    }
    return answer;
  };
  const page = await (await send(at)).text();
  const action = /action="([^"]+)"/.exec(page)[1], xsrf = /name="xsrf" value="([^"]+)"/.exec(page)[1];
  const done = await send(action, { method: 'POST', body: new URLSearchParams({ xsrf, logout: 'yes' }), headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  if (done.status !== 303 && done.status !== 302 && done.status !== 200) throw new Error(`sign-out: ${done.status} ${await done.text()}`);
}
