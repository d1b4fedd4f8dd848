// The cast of a fleet: PostgreSQL (from with_postgres), HAProxy, three replicas, and what stands behind them.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAuthorizationServer } from '../e2e/lib/authorization_server.mjs';
import { startMcpServer } from '../e2e/lib/mcp_server.mjs';
import { freePorts, makeProxy, until } from '../e2e/lib/proxy.mjs';

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const dsn = () => process.env.REAUTH_TEST_DSN ?? (() => {
  throw new Error('no PostgreSQL: run this by `./dev fleet`, or under tests/fleet/with_postgres');
})();

/// Stops and starts the server that all replicas share, as its administrator does.
export const restartPostgres = () => execFileSync(process.env.REAUTH_TEST_POSTGRES, ['restart'], { stdio: 'ignore' });

const filled = (text, values) => text.replace(/\$\{(\w+)\}/g, (whole, name) => values[name]);

async function startHaproxy(dir, values) {
  const file = join(dir, 'haproxy.cfg');
  writeFileSync(file, filled(readFileSync(new URL('config/haproxy.cfg', import.meta.url), 'utf8'), values));
  const child = spawn('/usr/sbin/haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  await until(() => fetch(`http://127.0.0.1:${values.balancer_port}/`).then((r) => r.status !== 503, () => false), { what: 'HAProxy' });
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

/// A fleet of `size` replicas behind HAProxy, nobody signed in. Everything ends with the test.
/// `prepare(values)` starts what else there is, and gives further values for the template; what has `close` is closed.
export async function makeFleet(t, { size = 3, as: asOptions, template = 'replica.yaml', prepare = async () => ({}) } = {}) {
  execFileSync('psql', ['-q', '-d', dsn(), '-c', 'DROP TABLE IF EXISTS mcp_reauth_records, mcp_reauth_properties'], { stdio: 'ignore' });
  const dir = mkdtempSync(join(tmpdir(), 'mcp-reauth-fleet-'));
  const ends = [];
  let failed = true;
  t.after(async () => {
    for (const end of ends.reverse()) await end();
    rmSync(dir, { recursive: true, force: true });
  });
  const as = await startAuthorizationServer(asOptions);
  ends.push(() => as.close());
  const rs = await startMcpServer({ authorizationServer: as, heartbeat: 5000 });
  ends.push(() => rs.close());
  writeFileSync(join(dir, 'dsn'), dsn(), { mode: 0o600 });
  writeFileSync(join(dir, 'vault.key'), 'k'.repeat(64), { mode: 0o600 });
  const [balancer_port, approval_balancer_port] = await freePorts(2);
  const more = await prepare({ as, publicUrl: `http://127.0.0.1:${approval_balancer_port}`, url: `http://127.0.0.1:${balancer_port}` });
  for (const one of more.parts ?? []) ends.push(() => one.close());
  const replicas = [];
  for (let i = 0; i < size; i++) {
    const replica = await makeProxy({
      template: `../../fleet/config/${template}`, upstreamUrl: rs.url,
      values: { ...more.values, balancer_port, approval_balancer_port, dsn_file: join(dir, 'dsn'), key_file: join(dir, 'vault.key') },
    });
    replica.name = 'ABCDEFG'[i];
    ends.push(async () => {
      if (failed && replica.log) t.diagnostic(`the log of ${replica.name} ends with:\n${replica.log.split('\n').slice(-20).join('\n')}`);
      replica.child?.kill('SIGCONT');
      await replica.close({ keep: failed && process.env.REAUTH_KEEP_LOGS });
    });
    replicas.push(replica);
  }
  for (const replica of replicas) await replica.start(); // one after the other, as a rollout does
  const server = (name, port, check) => `    server ${name} 127.0.0.1:${port} check port ${check}`;
  ends.push(await startHaproxy(dir, {
    balancer_port, approval_balancer_port,
    replicas: replicas.map((r) => server(r.name, r.port, r.metricsPort)).join('\n'),
    approvals: replicas.map((r) => server(r.name, r.approvalPort, r.metricsPort)).join('\n'),
  }));
  return {
    as, rs, replicas, url: `http://127.0.0.1:${balancer_port}/files`, publicUrl: `http://127.0.0.1:${approval_balancer_port}`,
    passed: () => { failed = false; },
  };
}

/// Opens a page of the public address at one replica, as the load balancer would.
export function visitAt(replica, publicUrl, address) {
  const at = new URL(address);
  return new Promise((resolve, reject) => {
    request({
      host: '127.0.0.1', port: replica.approvalPort, path: at.pathname + at.search, headers: { host: new URL(publicUrl).host },
    }, (response) => {
      let body = '';
      response.on('data', (data) => (body += data)).on('end', () => resolve({ status: response.statusCode, body }));
    }).on('error', reject).end();
  });
}
