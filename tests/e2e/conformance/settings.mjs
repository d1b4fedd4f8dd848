// The proxy's settings for each scenario: what a person who has read the server's documentation would configure.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const indent = (lines) => lines.map((line) => `    ${line}`).join('\n');

/// The upstream's own lines, and what else the file needs. `context`: what the suite tells the client under test.
export function settings(scenario, context, dir) {
  const file = (name, content) => {
    const path = join(dir, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  switch (scenario) {
    case 'auth/pre-registration':
      return { upstream: indent([
        'client:', `  id: ${context.client_id}`, `  secret: {file: ${file('client.secret', context.client_secret)}}`,
      ]) };
    case 'auth/client-credentials-basic':
      return { upstream: indent([
        'grant: client_credentials',
        `client: {id: ${context.client_id}, secret: {file: ${file('client.secret', context.client_secret)}}, auth: client_secret_basic}`,
      ]) };
    case 'auth/client-credentials-jwt':
      return { upstream: indent([
        'grant: client_credentials',
        `client: {id: ${context.client_id}, private_key: {file: ${file('client.pem', context.private_key_pem)}}, auth: private_key_jwt, alg: ${context.signing_algorithm ?? 'ES256'}}`,
      ]) };
    case 'auth/enterprise-managed-authorization':
      return {
        upstream: indent([
          'grant: enterprise', 'identity_provider: acme',
          `client: {id: ${context.client_id}, secret: {file: ${file('client.secret', context.client_secret)}}, auth: client_secret_basic}`,
        ]),
        top: [
          'identity_providers:',
          `  acme: {issuer: "${context.idp_issuer}", client: {id: ${context.idp_client_id}}, id_token: {file: ${file('id_token', context.idp_id_token)}}}`,
        ].join('\n'),
      };
    case 'auth/wif-jwt-bearer':
      return { upstream: indent([
        'grant: jwt_bearer', `client: {id: ${context.client_id}}`, `assertion: {file: ${file('assertion.jwt', context.valid_jwt)}}`,
      ]) };
    case 'auth/basic-cimd':
      return { top: 'client_metadata_url: https://conformance-test.local/client-metadata.json' };
    default:
      return {};
  }
}
