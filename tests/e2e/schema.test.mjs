// The configuration's schema in an editor's validator, the completions in their shells, the man pages in man.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { binary, root } from './lib/proxy.mjs';

const schema = JSON.parse(execFileSync(binary, ['schema']));
const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(schema);
const says = (text) => (validate(parse(text)) ? [] : validate.errors.map((e) => `${e.instancePath} ${e.message}`));

const folder = (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'reauth-schema-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
};

test('every example of conf/ is valid for an editor', () => {
  const examples = readdirSync(join(root, 'conf')).filter((f) => f.endsWith('.yaml')).map((f) => `conf/${f}`);
  for (const file of [...examples, 'conf/fleet/mcp-reauth.yaml', 'conf/package/config.yaml'])
    assert.deepEqual(says(readFileSync(join(root, file), 'utf8')), [], file);
  assert.ok(examples.length >= 3);
});

test('the templates of these tests, which run, are valid too', () => {
  const templates = readdirSync(join(root, 'tests/e2e/config')).filter((f) => f.endsWith('.yaml'));
  for (const file of templates) {
    const text = readFileSync(join(root, 'tests/e2e/config', file), 'utf8').replace(/^\$\{\w+\}$/gm, '').replace(/\$\{(\w+)\}/g, (_, name) => (name === 'open_browser' ? 'never' : /ahead|timeout|grace|heartbeat|answer|lifetime|idle/.test(name) ? '1s' : '1'));
    assert.deepEqual(says(text), [], file);
  }
  assert.ok(templates.length > 0);
});

test('every configuration in the documents is valid', () => {
  let found = 0;
  for (const page of ['README.md', ...readdirSync(join(root, 'docs')).filter((f) => f.endsWith('.md')).map((f) => `docs/${f}`)])
    for (const [, block] of readFileSync(join(root, page), 'utf8').matchAll(/^```yaml\n(.*?)^```/gms)) {
      assert.deepEqual(says(block), [], `${page}:\n${block}`);
      found++;
    }
  assert.ok(found >= 6, `${found}`);
});

test('what is wrong is marked where it stands', () => {
  const up = 'upstreams: {a: {url: https://a.example/mcp, ';
  for (const [text, where] of [
    ['listn: 127.0.0.1:1', 'additional properties'],
    [`${up}dpop: maybe}}`, '/upstreams/a/dpop'],
    ['upstreams: {a: {path: /a}}', "'url'"],
    ['upstreams: {"a b": {url: https://a.example}}', '/upstreams'],
    ['approval: {lifetime: 15}', '/approval/lifetime'],
    ['limits: {replay_body: 4 megabytes}', '/limits/replay_body'],
    ['listen: 8970', '/listen'],
    ['metrics: {listen: localhost}', '/metrics/listen'],
    ['limits: {attempts: 11}', '/limits/attempts'],
    ['policy: [{match: {tool: x}}]', "'action'"],
    ['policy: [{action: deny, match: {reason: because}}]', '/policy/0/match/reason'],
    [`${up}token: {fil: x}}}`, '/upstreams/a/token'],
    ['client_auth: []', '/client_auth'],
    [`${up}treat_as_challenge: [200]}}`, '/upstreams/a/treat_as_challenge'],
  ]) {
    const found = says(text).join('\n');
    assert.ok(found.includes(where), `${text}: ${found}`);
  }
});

test('every key in effect is printed with where it is from', (t) => {
  const dir = folder(t);
  const file = join(dir, 'mcp-reauth.yaml');
  writeFileSync(file, 'upstreams:\n  a:\n    url: https://a.example/mcp\n    par: require\n');
  const env = { ...process.env, MCP_REAUTH_LOG_LEVEL: 'debug', HOME: dir };
  const printed = execFileSync(binary, ['check', '--all', '--config', file, '--set', 'limits.attempts=2'], { env, encoding: 'utf8' });
  assert.match(printed, /upstreams\.a\.par +require +line 4\n/);
  assert.match(printed, /log\.level +debug +MCP_REAUTH_LOG_LEVEL\n/);
  assert.match(printed, /limits\.attempts +2 +--set limits\.attempts\n/);
  assert.match(printed, /approval\.lifetime +15m +default\n/);
  const { settings } = JSON.parse(execFileSync(binary, ['check', '--json', '--config', file], { env, encoding: 'utf8' }));
  assert.deepEqual(settings.find((s) => s.key === 'upstreams.a.par'), { key: 'upstreams.a.par', value: 'require', from: 'line 4' });
  assert.deepEqual(settings.find((s) => s.key === 'limits.waiters'), { key: 'limits.waiters', value: '10000', from: 'default' });
});

test('verbs, options, values and upstreams complete in bash, zsh and fish', (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, 'mcp-reauth.yaml'), 'upstreams: {linear: {url: https://mcp.linear.app/mcp}}\n');
  for (const shell of ['bash', 'zsh', 'fish']) writeFileSync(join(dir, shell), execFileSync(binary, ['completion', shell]));
  const options = { cwd: dir, encoding: 'utf8', env: { ...process.env, PATH: `${join(binary, '..')}:${process.env.PATH}`, HOME: dir } };
  const bash = (...words) => execFileSync('bash', ['-c',
    `source ./bash; COMP_WORDS=(mcp-reauth "$@"); COMP_CWORD=$#; _mcp_reauth; printf '%s\\n' "\${COMPREPLY[@]}"`, '-', ...words], options).split('\n').filter(Boolean);
  assert.deepEqual(bash('lo'), ['login', 'logout']);
  assert.deepEqual(bash('login', 'li'), ['linear']);
  assert.deepEqual(bash('client-config', '--for', 'cu'), ['cursor']);
  assert.deepEqual(bash('completion', 'z'), ['zsh']);
  assert.ok(bash('serve', '--').includes('--config'));
  const fish = (line) => execFileSync('fish', ['-c', `source ./fish; complete -C ${JSON.stringify(line)}`], options).split('\n').map((l) => l.split('\t')[0]).filter(Boolean);
  assert.deepEqual(fish('mcp-reauth lo').sort(), ['login', 'logout']);
  assert.deepEqual(fish('mcp-reauth login li'), ['linear']);
  assert.deepEqual(fish('mcp-reauth client-config --for cu'), ['cursor']);
  execFileSync('zsh', ['-n', './zsh'], options);
  const loaded = execFileSync('zsh', ['-fc', 'fpath=(. $fpath); autoload -Uz compinit; compinit -D; cp zsh _mcp-reauth; autoload -Uz _mcp-reauth; (( $+functions[_mcp-reauth] )) && print yes'], options);
  assert.equal(loaded.trim(), 'yes');
});

test('the man pages are what man takes without a warning, and name every verb and key', (t) => {
  const dir = folder(t);
  for (const [page, words] of [['mcp-reauth.1', ['help', '--man']], ['mcp-reauth.yaml.5', ['schema', '--man']]]) {
    writeFileSync(join(dir, page), execFileSync(binary, words));
    execFileSync('mandoc', ['-T', 'lint', '-W', 'warning', join(dir, page)]);
  }
  const text = execFileSync('mandoc', ['-T', 'ascii', join(dir, 'mcp-reauth.1')], { encoding: 'utf8' }).replace(/.\x08/g, '');
  for (const verb of execFileSync(binary, ['--help'], { encoding: 'utf8' }).split('Subcommands:\n')[1].matchAll(/^ {2}([a-z][\w-]*) /gm))
    assert.ok(text.includes(`mcp-reauth ${verb[1]}`), verb[1]);
});
