// The program under test: writes a configuration from a template, starts `mcp-reauth serve`, waits until it is ready,
// and speaks its approval API.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { signIn } from './person.mjs';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const binary = process.env.REAUTH_E2E_BINARY ?? join(root, 'build/release/mcp-reauth');

// Ports of our own: below the range that the system gives to sockets which don't ask for one, and each held by a file while
// the process that drew it lives, so that nobody else gets it between the draw and the bind.
const held = join(tmpdir(), 'mcp-reauth-test-ports');
const [lowest, highest] = [20000, 32000];
const drawn = new Set();
process.on('exit', () => { for (const port of drawn) rmSync(join(held, String(port)), { force: true }); });

function alive(pid) {
  try { return process.kill(pid, 0); } catch (e) { return e.code === 'EPERM'; }
}

/// Whether this process holds the port now: nobody that lives did.
function hold(port) {
  const file = join(held, String(port));
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    let owner = 0;
    try { owner = Number(readFileSync(file, 'utf8')); } catch { /* just given back */ }
    if (owner && !alive(owner)) rmSync(file, { force: true }); // the next draw may have it
    return false;
  }
}

export const canBind = (port) => new Promise((resolve) => {
  const server = createServer().on('error', () => resolve(false)).listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
});

/// Ports that nobody else has, nor will get while this process lives.
export async function freePorts(count) {
  mkdirSync(held, { recursive: true });
  const ports = [];
  while (ports.length < count) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (drawn.has(port) || !hold(port)) continue;
    drawn.add(port);
    if (await canBind(port)) ports.push(port);
  }
  return ports;
}

/// Asks again and again until `question` gives something truthy.
export async function until(question, { what = 'it', ms = 15000, every = 25 } = {}) {
  for (const end = Date.now() + ms; ;) {
    const answer = await question();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

/// A directory and a configuration for one test; `start` may be called again after `kill` (same files, same ports).
export async function makeProxy({ template = 'main_job.yaml', upstreamUrl, values = {}, dir, approvalPort } = {}) {
  const [drawnPort, metricsPort] = await freePorts(2);
  const port = values.port ?? drawnPort;
  approvalPort ??= (await freePorts(1))[0];
  dir ??= mkdtempSync(join(tmpdir(), 'mcp-reauth-e2e-'));
  const config = join(dir, 'config.yaml');
  const all = {
    dir, port, approval_port: approvalPort, metrics_port: metricsPort, upstream_url: upstreamUrl, refresh_ahead: '60s', upstream: '', ...values,
  };
  const source = readFileSync(new URL(template, new URL('../config/', import.meta.url)), 'utf8');
  writeFileSync(config, source.replace(/\$\{(\w+)\}/g, (whole, name) => {
    if (!(name in all)) throw new Error(`${template} asks for ${name}`);
    return all[name];
  }));
  const token = 'e2e-operator-token-0123456789abcdef';
  writeFileSync(join(dir, 'operator.token'), token, { mode: 0o600 });
  return new Proxy_({ dir, config, port, approvalPort, metricsPort, token });
}

class Proxy_ {
  constructor(fields) {
    Object.assign(this, fields);
    this.origin = `http://127.0.0.1:${this.port}`;
    this.approvals = `http://127.0.0.1:${this.approvalPort}`;
    this.logFile = join(this.dir, 'proxy.log');
  }

  get log() { return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : ''; }

  /// Starts the process and waits for /readyz.
  async start() {
    const out = openSync(this.logFile, 'a');
    this.child = spawn(binary, ['serve', '--config', this.config], {
      cwd: this.dir, stdio: ['ignore', out, out], env: { ...process.env, HOME: this.dir, XDG_STATE_HOME: join(this.dir, 'state') },
    });
    closeSync(out);
    this.exited = new Promise((resolve) => this.child.on('exit', (code, signal) => resolve({ code, signal })));
    let gone;
    this.exited.then((how) => { gone = how; });
    await until(async () => {
      if (gone) throw new Error(`the proxy ended (${JSON.stringify(gone)}):\n${this.log}`);
      return fetch(`http://127.0.0.1:${this.metricsPort}/readyz`).then((r) => r.ok, () => false);
    }, { what: `the proxy to be ready; its log:\n${this.log}` });
    return this;
  }

  async kill(signal = 'SIGKILL') {
    if (!this.child) return undefined;
    this.child.kill(signal);
    const how = await this.exited;
    this.child = undefined;
    return how;
  }

  /// Ends the process (gently, then not) and removes the directory; keeps it where the test failed.
  async close({ keep = false } = {}) {
    if (this.child) {
      this.child.kill('SIGTERM');
      const timer = setTimeout(() => this.child?.kill('SIGKILL'), 5000);
      await this.exited;
      clearTimeout(timer);
      this.child = undefined;
    }
    if (!keep) rmSync(this.dir, { recursive: true, force: true });
  }

  async api(path, init = {}) {
    const response = await fetch(this.approvals + path, {
      ...init, headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json', ...init.headers },
    });
    const body = await response.text();
    return { status: response.status, body: body ? JSON.parse(body) : undefined };
  }

  async waiting() {
    const { status, body } = await this.api('/api/approvals');
    if (status !== 200) throw new Error(`GET /api/approvals: ${status} ${JSON.stringify(body)}`);
    return body.approvals;
  }

  /// The one approval that waits, once there is one.
  async oneApproval(options = {}) {
    return until(async () => (await this.waiting().catch(() => []))[0], { what: 'an approval', ...options });
  }

  /// Approves as the operator and signs in at the provider as the person; gives the last page.
  async approve(id, person = {}) {
    const answer = await this.api(`/api/approvals/${id}/approve`, { method: 'POST', body: '{}' });
    if (answer.status !== 200) throw new Error(`approve: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body.status === 'done' ? answer.body : signIn(answer.body.location, person);
  }

  deny(id) { return this.api(`/api/approvals/${id}/deny`, { method: 'POST', body: '{}' }); }

  /// Runs a verb of the command line against this proxy's configuration.
  async cli(...args) {
    const child = spawn(binary, [...args, '--config', this.config], {
      cwd: this.dir, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: this.dir, XDG_STATE_HOME: join(this.dir, 'state') },
    });
    let stdout = '', stderr = '';
    child.stdout.on('data', (data) => (stdout += data));
    child.stderr.on('data', (data) => (stderr += data));
    const code = await new Promise((resolve) => child.on('close', resolve));
    return { code, stdout, stderr };
  }

  async metrics() { return (await fetch(`http://127.0.0.1:${this.metricsPort}/metrics`)).text(); }
}
