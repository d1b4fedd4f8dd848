// Runs every client scenario of the MCP conformance suite through the proxy, one process each, on every wire version it
// applies to; a scenario without a successful check has failed. Writes docs/conformance.md after a full run.
//
//   run.mjs                 everything, and write the table
//   run.mjs --check         everything, write nothing; expected_failures.txt is taken into account
//   run.mjs auth/dpop …     these scenarios (or their beginnings), with their output
//   CONFORMANCE_DIRECT=1    the client without the proxy, to tell whose fault a failure is
//   --http, --stdio         one way only: a client of `serve`, or one that starts `stdio`
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../lib/proxy.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const suite = join(root, 'tests/e2e/node_modules/@modelcontextprotocol/conformance/dist/index.js');
const { version } = JSON.parse(readFileSync(join(dirname(suite), '..', 'package.json'), 'utf8'));
const out = join(root, 'build/conformance');
const wires = ['2025-03-26', '2025-11-25', '2026-07-28'];
const check = process.argv.includes('--check');
const only = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));

const ways = process.argv.includes('--http') ? ['http'] : process.argv.includes('--stdio') ? ['stdio'] : ['http', 'stdio'];

function run(args, { timeout = 60_000, env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [suite, ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout, env: { ...process.env, ...env } });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
    child.on('close', (code) => resolve({ code, text }));
  });
}

/// [{ name, wire, extension }] of all that is to be run.
async function plan() {
  const { text } = await run(['list', '--client']);
  const all = [...text.matchAll(/^\s+- (\S+) \[([^\]]+)\]$/gm)].flatMap(([, name, applies]) => {
    const extension = applies === 'extension';
    const versions = extension ? wires.slice(1) : applies.split(',').filter((wire) => wires.includes(wire));
    return versions.flatMap((wire) => ways.map((way) => ({ name, wire, way, extension })));
  });
  if (all.length < 40) throw new Error(`the suite lists only ${all.length} scenarios:\n${text}`);
  return only.length ? all.filter(({ name }) => only.some((wanted) => name.startsWith(wanted))) : all;
}

const label = ({ name, wire, way }) => `${name}@${wire}${way === 'stdio' ? '+stdio' : ''}`;

async function one({ name, wire, way, extension }) {
  const dir = join(out, label({ name, wire, way }).replace('/', '_'));
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const { code, text } = await run([
    'client', '--command', `${process.execPath} ${join(here, 'command.mjs')}`, '--scenario', name, '--spec-version', wire,
    '--timeout', '30000', '-o', dir, ...(extension ? ['--force'] : []),
  ], { env: way === 'stdio' ? { CONFORMANCE_STDIO: '1' } : {} });
  writeFileSync(join(dir, 'output.txt'), text);
  const found = readdirSync(dir, { recursive: true }).find((file) => file.endsWith('checks.json'));
  const checks = found ? JSON.parse(readFileSync(join(dir, found), 'utf8')) : [];
  const count = (status) => checks.filter((c) => c.status === status).length;
  const [good, bad, warned] = [count('SUCCESS'), count('FAILURE'), count('WARNING')];
  const complaints = checks.filter((c) => ['FAILURE', 'WARNING'].includes(c.status))
    .map((c) => `${c.id}: ${c.errorMessage ?? c.description}`);
  if (code !== 0 && !complaints.length) complaints.push(`the run ended with ${code}`);
  if (good === 0) complaints.push('no check succeeded');
  return { name, wire, way, extension, good, bad, warned, complaints, text, passed: complaints.length === 0 };
}

async function inParallel(jobs, width, work) {
  const results = [];
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < jobs.length) {
      const i = next++;
      results[i] = await work(jobs[i]);
    }
  }));
  return results;
}

function table(results) {
  const used = wires.flatMap((wire) => ways.map((way) => ({ wire, way }))).filter((u) => results.some((r) => r.wire === u.wire && r.way === u.way));
  const rows = [...new Set(results.map((r) => r.name))].map((name) => {
    const cells = used.map(({ wire, way }) => {
      const r = results.find((x) => x.name === name && x.wire === wire && x.way === way);
      return !r ? '' : r.passed ? `✓ ${r.good}` : `✗ ${r.good} of ${r.good + r.bad + r.warned}`;
    });
    return `| \`${name}\` | ${cells.join(' | ')} |`;
  });
  const passed = results.filter((r) => r.passed).length;
  return [
    '# Conformance', '',
    `Every client scenario of \`@modelcontextprotocol/conformance\` ${version}, run one by one with a client that knows no OAuth`,
    '(SDK 1.32.2 on the 2025 wires, client 2.4.0 on 2026-07-28) behind mcp-reauth: over HTTP before `serve`, and over standard input',
    'and output, where the client starts `stdio`. A number is the count of checks that succeeded;',
    'a scenario without a successful check counts as failed, and a warning as a failure. Generated by `./dev conformance`.', '',
    `**${passed} of ${results.length} runs pass.**`, '',
    `| scenario | ${used.map(({ wire, way }) => (way === 'stdio' ? `${wire}, stdio` : wire)).join(' | ')} |`, `|---|${used.map(() => '---|').join('')}`, ...rows, '',
    ...results.filter((r) => !r.passed).flatMap((r) => [`- \`${r.name}\` on ${r.wire}${r.way === 'stdio' ? ', stdio' : ''}: ${r.complaints[0].split('\n')[0]}`]),
  ].join('\n').trimEnd() + '\n';
}

const expectedFile = join(here, 'expected_failures.txt');
const expected = new Set(existsSync(expectedFile)
  ? readFileSync(expectedFile, 'utf8').split('\n').map((line) => line.replace(/#.*/, '').trim()).filter(Boolean) : []);

const jobs = await plan();
if (!jobs.length) throw new Error(`no scenario begins with ${only.join(' or ')}`);
const timed = (job) => job.name === 'sse-retry'; // measures milliseconds: not beside others
const report = (r) => {
  const known = expected.has(label(r));
  const word = r.passed ? (known ? 'PASSED, but is listed in expected_failures.txt' : 'ok') : known ? 'failed, as listed' : 'FAILED';
  console.log(`${label(r)}: ${word} (${r.good} checks)`);
  if (!r.passed) for (const complaint of r.complaints.slice(0, 5)) console.log(`    ${complaint}`);
  if (only.length && !r.passed) console.log(r.text.replace(/^/gm, '    | '));
  return r;
};
const results = [
  ...await inParallel(jobs.filter((j) => !timed(j)), 2, async (job) => report(await one(job))),
  ...await inParallel(jobs.filter(timed), 1, async (job) => report(await one(job))),
];
if (!only.length && !check && ways.length === 2 && !process.env.CONFORMANCE_DIRECT) {
  mkdirSync(join(root, 'docs'), { recursive: true });
  writeFileSync(join(root, 'docs/conformance.md'), table(results));
}
const surprises = results.filter((r) => r.passed === expected.has(label(r)));
console.log(`COUNT ${results.filter((r) => r.passed && !surprises.includes(r)).length} passed, ${surprises.length} failed`);
process.exit(surprises.length ? 1 : 0);
