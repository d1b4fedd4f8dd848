// mcp-reauth stdio against mcp-remote: one run, one machine, the same authorization server and the same MCP server for both.
//   bench/stdio.mjs            all of it; writes the table into docs/stdio.md
//   bench/stdio.mjs --quick    few rounds, writes nothing
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startAuthorizationServer } from '../tests/e2e/lib/authorization_server.mjs';
import { remoteProgram } from '../tests/e2e/lib/mcp_remote.mjs';
import { startMcpServer } from '../tests/e2e/lib/mcp_server.mjs';
import { signIn } from '../tests/e2e/lib/person.mjs';
import { makeProxy, root } from '../tests/e2e/lib/proxy.mjs';
import { program } from '../tests/e2e/lib/stdio.mjs';

const quick = process.argv.includes('--quick');
const starts = quick ? 3 : 20, calls = quick ? 200 : 3000, expirySeconds = quick ? 12 : 40;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];

/// A program that speaks JSON-RPC by lines, without an SDK in the way of the clock.
class Talk {
  constructor({ command, args, env, cwd }, heardOnStderr = () => {}) {
    this.began = performance.now();
    this.child = spawn(command, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdin.on('error', () => {});
    this.child.stderr.on('data', (data) => heardOnStderr(String(data)));
    this.waiting = new Map();
    this.next = 1;
    this.ended = new Promise((resolve) => this.child.on('close', resolve));
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      let message;
      try { message = JSON.parse(line); } catch { return; }
      this.waiting.get(message.id)?.(message);
    });
  }
  say(message) { this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`); }
  ask(method, params, ms = 60_000) {
    const id = this.next++;
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve({ error: { message: `no answer in ${ms / 1000} s` } }), ms);
      this.ended.then(() => resolve({ error: { message: 'the program ended' } }));
      this.waiting.set(id, (message) => { clearTimeout(late); this.waiting.delete(id); resolve(message); });
      this.say({ id, method, params });
    });
  }
  async open() {
    const answer = await this.ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } });
    this.opened = performance.now() - this.began;
    if (answer.error) throw new Error(answer.error.message);
    this.say({ method: 'notifications/initialized' });
    return this;
  }
  call(name, args = {}, ms) { return this.ask('tools/call', { name, arguments: args }, ms); }
  async close() {
    this.child.stdin.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5000);
    await this.ended;
    clearTimeout(timer);
  }
  /// kB: resident, and what no other process has (its own share of this program's cost).
  memory() {
    const text = readFileSync(`/proc/${this.child.pid}/smaps_rollup`, 'utf8');
    const of = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)[1]);
    return { resident: of('Rss'), own: of('Private_Clean') + of('Private_Dirty') };
  }
  /// Milliseconds of processor time so far, of all its threads.
  cpu() {
    const threads = readdirSync(`/proc/${this.child.pid}/task`);
    return threads.reduce((sum, id) => sum + Number(readFileSync(`/proc/${this.child.pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]) / 1e6, 0);
  }
}

/// The two, each with a home of its own and a person who signs in whenever asked.
async function contestant(name, rs) {
  const proxy = await makeProxy({ upstreamUrl: rs.url });
  const person = { signIns: 0, active: true };
  if (name === 'mcp-reauth') {
    const seen = new Set();
    const watch = (async () => {
      while (person.active) {
        for (const { id } of await proxy.waiting().catch(() => [])) {
          if (seen.has(id)) continue;
          seen.add(id);
          person.signIns++;
          await proxy.approve(id).catch(() => {});
        }
        await sleep(20);
      }
    })();
    return { name, person, start: () => new Talk(program(proxy)), end: async () => { person.active = false; await watch; await proxy.close(); } };
  }
  const home = mkdtempSync(join(tmpdir(), 'mcp-remote-'));
  let heard = '';
  const hear = (text) => {
    heard += text;
    for (let link; (link = /visiting:\s*(https?:\S+)\s/.exec(heard)); heard = heard.slice(link.index + link[0].length)) {
      person.signIns++;
      signIn(link[1]).catch(() => {});
    }
  };
  return {
    name, person, start: () => new Talk(remoteProgram(rs.url, home), hear),
    end: async () => { rmSync(home, { recursive: true, force: true }); await proxy.close(); },
  };
}

/// Starts, memory, processor time and latency, with tokens that last.
async function steady(name) {
  const as = await startAuthorizationServer({ accessTokenSeconds: 3600 });
  const rs = await startMcpServer({ authorizationServer: as, heartbeat: 1e9 });
  const one = await contestant(name, rs);
  await (await one.start().open()).close(); // signs in
  const opened = [];
  for (let i = 0; i < starts; i++) {
    const talk = await one.start().open();
    opened.push(talk.opened);
    await talk.close();
  }
  opened.sort((a, b) => a - b);
  const talk = await one.start().open();
  for (let i = 0; i < 100; i++) await talk.call('echo', { message: 'warm' });
  const before = talk.cpu();
  const took = [];
  for (let i = 0; i < calls; i++) {
    const began = performance.now();
    const answer = await talk.call('echo', { message: `${i}` });
    took.push(performance.now() - began);
    if (answer.result?.content?.[0]?.text !== `${i}`) throw new Error(JSON.stringify(answer));
  }
  const cpu = (talk.cpu() - before) / calls;
  const memory = talk.memory();
  await talk.close();
  took.sort((a, b) => a - b);
  await one.end();
  await rs.close();
  await as.close();
  return { start: quantile(opened, 0.5), startWorst: opened.at(-1), ...memory, cpu, p50: quantile(took, 0.5), p99: quantile(took, 0.99) };
}

const outcome = (answer) => (answer.error ? `error: ${String(answer.error.message).split('\n')[0].slice(0, 110)}` : answer.result.isError ? `error: ${answer.result.content[0].text.slice(0, 110)}` : 'works');

/// A fresh cast, one signed-in program, and what `work` finds out about it.
async function withCast(name, accessTokenSeconds, work) {
  const given = [];
  const as = await startAuthorizationServer({ accessTokenSeconds, onSecret: (secret) => given.push(secret) });
  const rs = await startMcpServer({ authorizationServer: as, heartbeat: 1e9 });
  const one = await contestant(name, rs);
  const talk = await one.start().open();
  const before = one.person.signIns;
  const found = await work({ as, rs, talk, given, signIns: () => one.person.signIns - before });
  await talk.close();
  await one.end();
  await rs.close();
  await as.close();
  return found;
}

/// Tokens of 5 s for a while; a call that needs more scope; everything revoked: each with a program of its own.
async function recoveries(name) {
  const expiry = await withCast(name, 5, async ({ as, talk }) => {
    const failed = [];
    let done = 0;
    for (const end = Date.now() + expirySeconds * 1000; Date.now() < end;) {
      const next = sleep(200);
      const answer = await talk.call('echo', { message: 'on' }, 20_000);
      done++;
      if (answer.error || answer.result.isError) failed.push(outcome(answer));
      await next;
    }
    return {
      expiry: failed.length ? `${failed.length} of ${done} calls failed (${failed[0]})` : `${done} calls, none failed`,
      refreshes: as.counts.refreshes, reuses: as.counts.reuses,
    };
  });
  const stepUp = await withCast(name, 3600, async ({ talk, signIns }) => `${outcome(await talk.call('admin', {}, 30_000))} (${signIns()} sign-in)`);
  const revoked = await withCast(name, 3600, async ({ as, rs, talk, given, signIns }) => {
    for (const token of given) await as.revoke(token).catch(() => {});
    await sleep(1100); // tokens are dated by the second
    rs.counts.revokedBefore = Math.floor(Date.now() / 1000);
    return `${outcome(await talk.call('echo', { message: 'revoked' }, 30_000))} (${signIns()} sign-in)`;
  });
  return { ...expiry, stepUp, revoked };
}

const names = ['mcp-reauth', 'mcp-remote'];
const results = {};
for (const name of names) results[name] = { ...await steady(name), ...await recoveries(name) };
const [us, them] = names.map((name) => results[name]);
const ratio = (a, b) => `1/${(b / a).toFixed(1)}`;
const ms = (x) => `${x < 10 ? x.toFixed(2) : x.toFixed(0)} ms`;
const mb = (kb) => `${(kb / 1024).toFixed(1)} MB`;
const { version } = JSON.parse(readFileSync(join(root, 'tests/e2e/node_modules/mcp-remote/package.json'), 'utf8'));
const rows = [
  ['start to the answer to `initialize`, tokens held (median)', ms(us.start), ms(them.start), ratio(us.start, them.start)],
  ['… the slowest', ms(us.startWorst), ms(them.startWorst), ratio(us.startWorst, them.startWorst)],
  ['resident memory', mb(us.resident), mb(them.resident), ratio(us.resident, them.resident)],
  ['memory of its own (not shared with other processes)', mb(us.own), mb(them.own), ratio(us.own, them.own)],
  ['processor time a call', `${(us.cpu * 1000).toFixed(0)} µs`, `${(them.cpu * 1000).toFixed(0)} µs`, ratio(us.cpu, them.cpu)],
  ['a call, p50 (most of it the server)', ms(us.p50), ms(them.p50), ''],
  ['a call, p99', ms(us.p99), ms(them.p99), ''],
  [`tokens of 5 s, for ${expirySeconds} s`, us.expiry, them.expiry, ''],
  ['… refreshes; refresh tokens sent twice', `${us.refreshes}; ${us.reuses}`, `${them.refreshes}; ${them.reuses}`, ''],
  ['a call that needs more scope', us.stepUp, them.stepUp, ''],
  ['everything revoked at the server', us.revoked, them.revoked, ''],
];
const table = [
  `| | mcp-reauth stdio | mcp-remote ${version} | |`, '|---|---|---|---|', ...rows.map((row) => `| ${row.join(' | ')} |`), '',
  `${starts} starts, ${calls} calls one after the other; SDK 1.32.2 server and oidc-provider in one Node process; ${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}.`,
].join('\n');
console.log(table);
if (!quick) {
  const file = join(root, 'docs/stdio.md');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/(<!-- measured by bench\/stdio.mjs -->\n)[^]*?(<!-- end -->)/, `$1${table}\n$2`));
}
process.exit(0);
