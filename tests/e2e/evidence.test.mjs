// What happened, who allowed it, and proof that nobody changed the record: with real clients, before a real browser.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import { accessible, launch, person, screenshot } from './lib/browser.mjs';
import { said, v1 } from './lib/clients.mjs';
import { connectAndApprove, use } from './lib/house.mjs';
import { binary, root, until } from './lib/proxy.mjs';

const auditLine = (more = '') => `audit: {file: audit.jsonl, sign: {key: {file: audit.key}, every: 5}${more}}`;
const useEvidence = (t, { required = false, more = '' } = {}) => use(t, { proxy: { template: 'evidence.yaml', values: { audit: auditLine(required ? ', required: true' : ''), more } } });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/// A login, a renewal, a step-up, an approved call, a denied one: what an hour brings, in five seconds.
async function live({ proxy }) {
  const client = v1(`${proxy.origin}/files`, { info: { name: 'the client', version: '1' } });
  const { approval: login } = await connectAndApprove(proxy, client);
  await pause(2100); // the token's life
  assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: 'again' } })), 'again');
  const more = client.callTool({ name: 'admin', arguments: {} });
  const stepUp = await proxy.oneApproval();
  await proxy.approve(stepUp.id);
  await more;
  const gated = v1(`${proxy.origin}/gated`, { info: { name: 'the other', version: '1' } });
  await connectAndApprove(proxy, gated);
  const call = gated.callTool({ name: 'echo', arguments: { message: 'worth it' } });
  const asked = await proxy.oneApproval();
  await proxy.approve(asked.id);
  assert.equal(said(await call), 'worth it');
  const refused = gated.callTool({ name: 'echo', arguments: { message: 'not this' } }).then(() => undefined, (e) => e);
  const no = await proxy.oneApproval();
  await proxy.deny(no.id);
  const error = await refused;
  await client.close();
  await gated.close();
  return { login, stepUp, asked, no, error };
}

test('each episode leaves a timeline; its id is in the error, the answer, the log, the page and the history, also after a kill', { timeout: 120_000 }, async (t) => {
  const { proxy, passed } = await useEvidence(t);
  const { login, stepUp, asked, no, error } = await live({ proxy });
  for (const a of [login, stepUp, asked, no]) assert.match(a.recovery, uuid);
  assert.equal(error.data.recovery, no.recovery, 'the client is told');
  assert.match(proxy.log, new RegExp(`"event":"approval denied"[^\\n]*"recovery":"${no.recovery}"`));

  // an answer of a request that was recovered says so; one that was not does not
  const ask = () => fetch(`${proxy.origin}/files`, {
    method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } } }),
  });
  await pause(2100);
  const recovered = await ask();
  const renewal = recovered.headers.get('x-reauth-recovery');
  assert.match(renewal, uuid);
  assert.equal((await ask()).headers.get('x-reauth-recovery'), null);

  const { stdout } = await proxy.cli('history', renewal);
  for (const word of ['challenge', 'judged', 'lock', 'exchange', 'purpose=', 'status=200', 'store', 'in force', 'sent again']) assert.ok(stdout.includes(word), `${word} in\n${stdout}`);
  const whole = JSON.parse((await proxy.cli('history', asked.recovery, '--json')).stdout);
  assert.equal(whole.entries.at(-1).how, 'call approved');
  assert.equal(whole.entries.at(-1).by, 'operator');
  assert.ok(whole.steps.some((s) => s.what === 'judged' && s.facts.rule === 'echoes are looked at' && s.facts.digest === asked.digest));
  const step = JSON.parse((await proxy.cli('history', stepUp.recovery, '--json')).stdout);
  assert.ok(step.steps.some((s) => s.what === 'judged' && s.facts.observed === 'no admin: deny'), 'the watched rule');
  assert.ok(step.judged.length > 0);

  await proxy.kill();
  await proxy.start();
  const list = JSON.parse((await proxy.cli('history', '--upstream', 'gated', '--since', '1h', '--json')).stdout).history;
  assert.ok(list.every((e) => e.upstream === 'gated'));
  assert.deepEqual(new Set(list.map((e) => e.how)), new Set(['login', 'call approved', 'denied']));
  assert.equal(JSON.parse((await proxy.cli('history', '--principal', 'nobody', '--json')).stdout).history.length, 0);
  assert.equal(JSON.parse((await proxy.cli('history', renewal, '--json')).stdout).id, renewal);
  assert.equal((await proxy.cli('history', '--since', 'yesterday')).code, 2);
  passed();
});

test('dashboard and timeline before a browser: light, dark, phone, without script; a link shows one timeline and no other', { timeout: 120_000 }, async (t) => {
  const { proxy, passed } = await useEvidence(t);
  const { stepUp, asked } = await live({ proxy });
  const browser = await launch(t);
  const page = await person(browser, { viewport: { width: 1200, height: 900 } });
  const { body } = await proxy.api('/api/open', { method: 'POST', body: '{}' });
  await page.goto(body.link);
  await page.getByRole('link', { name: 'call approved' }).first().waitFor();
  await screenshot(page, 'evidence-dashboard-light');
  await accessible(page, 'the dashboard with its history');
  await page.emulateMedia({ colorScheme: 'dark' });
  await screenshot(page, 'evidence-dashboard-dark');
  await page.setViewportSize({ width: 360, height: 740 });
  await screenshot(page, 'evidence-dashboard-phone');
  await accessible(page, 'the dashboard with its history on a phone');
  const href = await page.getByRole('link', { name: 'call approved' }).first().getAttribute('href');
  assert.ok(href.includes(asked.recovery));

  const shots = [['light', {}], ['dark', { colorScheme: 'dark' }], ['phone', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }], ['phone-light', { viewport: { width: 360, height: 740 } }]];
  const { page: link } = (await proxy.api(`/api/history/${stepUp.recovery}`)).body;
  for (const [name, options] of shots) {
    const quiet = await person(browser, { viewport: { width: 1100, height: 900 }, javaScriptEnabled: false, ...options });
    await quiet.goto(link);
    assert.ok(await quiet.locator('svg.bar').count() >= 8, 'bars are drawn by the server');
    assert.ok((await quiet.locator('body').innerText()).includes(stepUp.recovery));
    await screenshot(quiet, `evidence-timeline-${name}`);
    const live_ = await person(browser, { viewport: { width: 1100, height: 900 }, ...options });
    await live_.goto(link);
    await accessible(live_, `the timeline, ${name}`);
    assert.ok(await live_.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the window');
    assert.deepEqual(live_.complaints, []);
  }
  const status = async (url) => (await fetch(url)).status;
  assert.equal(await status(link), 200);
  assert.equal(await status(link.replace(/key=.*/, '')), 404);
  assert.equal(await status(link.replace(stepUp.recovery, asked.recovery)), 404, 'the key of another one');
  passed();
});

test('the audit: whole after a kill, every change is found, a receipt is a signed line, and what must be recorded is not done unrecorded', { timeout: 120_000 }, async (t) => {
  const { rs, proxy, passed } = await useEvidence(t, { required: true });
  const { asked, no, login } = await live({ proxy });
  const file = join(proxy.dir, 'audit.jsonl');
  const lines = () => readFileSync(file, 'utf8').trim().split('\n').map((l) => JSON.parse(l));
  await until(() => lines().some((l) => l.how === 'denied'), { what: 'the denial' });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const yes = lines().find((l) => l.event === 'approval' && l.approval === asked.id);
  assert.equal(yes.action, 'approve');
  assert.equal(yes.by, 'operator');
  assert.equal(yes.way, 'operator, by the API');
  assert.equal(yes.digest, asked.digest);
  assert.equal(yes.tool, 'echo');
  assert.match(yes.sig, /^[\w-]{86}$/);
  for (const [event, how] of [['sign_in', 'login'], ['sign_in', 'step_up'], ['recovery', 'refresh'], ['decision', 'call approved'], ['decision', 'denied']]) assert.ok(lines().some((l) => l.event === event && l.how === how), `${event} ${how}`);
  assert.equal(lines()[0].event, 'start');
  assert.match(lines()[0].policy_sha256, /^[0-9a-f]{64}$/);
  assert.ok((await proxy.cli('logout', 'files')).code === 0);
  await until(() => lines().some((l) => l.how === 'logout'), { what: 'the sign-out' });
  assert.ok(lines().some((l) => l.event === 'command' && l.action === 'logout' && l.by === 'operator'));

  // no secret is in it
  const text = readFileSync(file, 'utf8');
  for (const token of [...rs.counts.bearers, proxy.token]) assert.ok(!text.includes(token), 'a secret is in the audit');
  assert.ok(!text.includes('worth it'), 'nor an argument');

  const verify = (...args) => proxy.cli('audit', 'verify', ...args);
  const fine = await verify();
  assert.equal(fine.code, 0, fine.stdout + fine.stderr);
  assert.match(fine.stdout, /its end is the one that was written\n[^]*It is as it was written/);
  await proxy.kill();
  await proxy.start();
  assert.equal((await verify()).code, 0);
  const receipt = await proxy.cli('audit', 'show', asked.id);
  assert.ok(receipt.stdout.split('\n').filter(Boolean).every((l) => text.includes(l) && JSON.parse(l).approval === asked.id && JSON.parse(l).sig));
  assert.ok(receipt.stdout.includes(`"digest":"${asked.digest}"`));
  assert.equal((await proxy.cli('audit', 'show', 'nobody')).code, 2);

  // changed, cut, moved: each in a copy, then at its own place
  const copy = join(proxy.dir, 'copy.jsonl');
  const all = readFileSync(file, 'utf8');
  const tampered = async (change, words) => {
    writeFileSync(copy, change(all.split('\n')).join('\n'));
    const found = await verify(copy);
    assert.equal(found.code, 1, found.stdout);
    assert.match(found.stdout, words);
  };
  await tampered((l) => l.with(3, l[3].replace(/"by":"\w+"|"how":"\w+"|"event":"\w+"/, '"event":"nothing"')), /copy\.jsonl:4: .*changed/);
  await tampered((l) => l.toSpliced(4, 2), /copy\.jsonl:5: lines 5 to 6 are missing/);
  await tampered((l) => [...l.slice(0, 5), l[6], l[5], ...l.slice(7)], /stands behind/);
  await tampered((l) => [...l.slice(0, -2), l.at(-2).slice(0, 50)], /is cut/);
  await proxy.kill('SIGTERM');
  const whole = readFileSync(file, 'utf8');
  writeFileSync(file, `${whole.trim().split('\n').slice(0, -3).join('\n')}\n`);
  await proxy.start();
  const cut = await verify();
  assert.equal(cut.code, 1, cut.stdout);
  assert.match(cut.stdout, /says itself that lines before it were cut off/);

  // the disk fails: what somebody answers for is refused, and said everywhere
  const client = v1(`${proxy.origin}/files`);
  const opening = client.open();
  opening.catch(() => {});
  const waiting = await proxy.oneApproval();
  renameSync(file, `${file}.away`);
  mkdirSync(file);
  const refused = await proxy.api(`/api/approvals/${waiting.id}/approve`, { method: 'POST', body: '{}' });
  assert.equal(refused.status, 503, JSON.stringify(refused.body));
  assert.equal(refused.body.error, 'audit_unavailable');
  const ready = await fetch(`http://127.0.0.1:${proxy.metricsPort}/readyz`);
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /^audit: /m);
  assert.match(await proxy.metrics(), /^mcp_reauth_audit_failing 1$/m);
  assert.match(proxy.log, /"event":"audit"[^\n]*can't be/);
  rmSync(file, { recursive: true });
  renameSync(`${file}.away`, file);
  await until(async () => (await fetch(`http://127.0.0.1:${proxy.metricsPort}/readyz`)).ok, { what: 'the audit to work again' });
  await proxy.approve(waiting.id);
  await opening;
  await client.close();
  assert.ok(login.id !== no.id);
  passed();
});

test('what another policy would have done: recorded judgements before a new configuration, counted and listed', { timeout: 120_000 }, async (t) => {
  const { proxy, passed } = await useEvidence(t);
  await live({ proxy });
  const other = join(proxy.dir, 'other.yaml');
  writeFileSync(other, readFileSync(proxy.config, 'utf8').replace(/policy:[^]*limits:/, 'policy:\n  - {name: never more, match: {reason: insufficient_scope}, action: deny}\nlimits:'));
  const env = { ...process.env, HOME: proxy.dir, XDG_STATE_HOME: join(proxy.dir, 'state'), MCP_REAUTH_CONFIG: proxy.config };
  const cli = (...args) => execFileSync(binary, args, { env, cwd: proxy.dir, encoding: 'utf8' });
  const changes = JSON.parse(cli('explain', '--recorded', '--config', other, '--json'));
  assert.ok(changes.recorded > changes.changed);
  assert.equal(changes.counts['asks a person -> denied_by_policy'], 1);
  assert.equal(changes.counts['approve -> sent'], 2);
  assert.ok(changes.changes.every((c) => uuid.test(c.recovery)));
  assert.match(cli('explain', '--recorded', '--config', other), /1 × asks a person → denied_by_policy/);
  assert.match(cli('explain', '--recorded'), /0 would end in another way[^]*Observed: no admin: deny would have decided 1/);
  assert.match(cli('rules', '--suggest', '--least', '2'), /Nothing was approved 2 times and never denied/);
  passed();
});

test('what people approve again and again is suggested as a rule, which then does what it says', { timeout: 120_000 }, async (t) => {
  const { proxy, passed } = await useEvidence(t);
  const gated = v1(`${proxy.origin}/gated`);
  await connectAndApprove(proxy, gated);
  for (let i = 0; i < 3; i++) {
    const call = gated.callTool({ name: 'echo', arguments: { message: `${i}` } });
    await proxy.approve((await proxy.oneApproval()).id);
    await call;
  }
  const { stdout } = await proxy.cli('rules', '--suggest');
  const rule = /^ {2}- \{.*\}/m.exec(stdout)?.[0];
  assert.match(rule, /match: \{upstream: gated, tool: echo, principal: local\}/);
  assert.match(stdout, /approved 3 times, never denied/);
  writeFileSync(proxy.config, readFileSync(proxy.config, 'utf8').replace('policy:\n', `policy:\n${rule}\n`));
  proxy.child.kill('SIGHUP');
  await until(() => /"event":"reloaded"/.test(proxy.log), { what: 'the reload' });
  assert.equal(said(await gated.callTool({ name: 'echo', arguments: { message: 'unasked' } })), 'unasked');
  assert.deepEqual(await proxy.waiting(), []);
  await gated.close();
  const lines = readFileSync(join(proxy.dir, 'audit.jsonl'), 'utf8').trim().split('\n').map((l) => JSON.parse(l));
  const policies = lines.filter((l) => l.policy_sha256).map((l) => l.policy_sha256);
  assert.equal(lines.filter((l) => l.event === 'configuration').length, 1);
  assert.equal(new Set(policies).size, 2, 'the audit knows that the rules are others');
  passed();
});

test('the API is what its OpenAPI document says: every path, every answer', { timeout: 120_000 }, async (t) => {
  const { proxy, passed } = await useEvidence(t);
  const { login, asked } = await live({ proxy });
  const document = (await proxy.api('/api/openapi.json')).body;
  const source = readFileSync(join(root, 'proxy/approval/api_routes.cpp'), 'utf8');
  const routes = [...source.matchAll(/\{"(GET|POST)", "([^"]+)", api_/g)].map(([, method, path]) => `${method} /api/${path.replaceAll('{}', '*')}`);
  const described = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((m) => `${m.toUpperCase()} ${path.replace(/\{\w+\}/g, '*')}`));
  assert.deepEqual(described.filter((p) => p !== 'GET /api/proof').sort(), routes.sort());
  const ajv = new Ajv({ strict: false });
  ajv.addSchema({ $id: 'doc', ...document });
  const check = async (method, path, template, body) => {
    const answer = await proxy.api(path, { method, ...(body ? { body: JSON.stringify(body) } : {}) });
    const responses = document.paths[template][method.toLowerCase()].responses;
    const pointer = `doc#/paths/${template.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D')}/${method.toLowerCase()}/responses/${answer.status === 200 ? '200' : 'default'}/content/application~1json/schema`;
    assert.ok(responses[answer.status === 200 ? '200' : 'default']);
    const validate = ajv.compile({ $ref: pointer });
    assert.ok(validate(answer.body), `${method} ${path} ${answer.status}: ${JSON.stringify(validate.errors)} in ${JSON.stringify(answer.body).slice(0, 600)}`);
    return answer.body;
  };
  for (const path of ['me', 'approvals', 'credentials', 'rules', 'history', 'judgements', 'audit', 'diagnostics', 'openapi.json']) await check('GET', `/api/${path}`, `/api/${path}`);
  await check('GET', '/api/history?upstream=gated&limit=1', '/api/history');
  await check('GET', '/api/history?limit=0', '/api/history');
  await check('GET', `/api/history/${asked.recovery}`, '/api/history/{id}');
  await check('GET', '/api/history/nothing', '/api/history/{id}');
  await check('GET', `/api/approvals/${asked.id}`, '/api/approvals/{id}');
  await check('POST', `/api/approvals/${login.id}/approve`, '/api/approvals/{id}/approve', {});
  await check('GET', '/api/client-config/files/cursor', '/api/client-config/{upstream}/{client}');
  const { id } = await check('POST', '/api/login', '/api/login', { upstream: 'files' });
  await check('POST', `/api/approvals/${id}/deny`, '/api/approvals/{id}/deny');
  await check('POST', '/api/logout', '/api/logout', { upstream: 'files' });
  await check('POST', '/api/callback', '/api/callback', { url: `${proxy.approvals}/oauth/callback?code=x&state=nobodys` });
  await check('POST', '/api/rules/none/revoke', '/api/rules/{id}/revoke');
  await check('POST', '/api/open', '/api/open');
  passed();
});

test('debug bundle: all that a bug report needs, and none of forty secrets', { timeout: 120_000 }, async (t) => {
  const planted = Array.from({ length: 40 }, (_, i) => `planted-secret-${String(i).padStart(2, '0')}-Zx9`);
  const extra = planted.slice(0, 36).reduce((out, _, i) => (i % 3 ? out : `${out}\n  s${i}:\n    url: http://127.0.0.1:1/s${i}\n    grant: client_credentials\n    client: {id: c${i}, secret: "${planted[i]}", issuer: "http://127.0.0.1:1"}\n    headers: {X-Key: "${planted[i + 1]}", X-Other: {file: s${i}.txt}}`), '');
  const { rs, proxy, passed } = await use(t, { proxy: { template: 'evidence.yaml', values: { audit: auditLine(), more: `trace: {otlp: "http://127.0.0.1:1", headers: {Authorization: "${planted[36]}"}}` } } });
  for (let i = 0; i < 36; i += 3) writeFileSync(join(proxy.dir, `s${i}.txt`), planted[i + 2]);
  await proxy.kill('SIGTERM');
  writeFileSync(proxy.config, readFileSync(proxy.config, 'utf8').replace('\npolicy:', `${extra}\n  direct: {url: "http://127.0.0.1:1/direct", grant: static, token: "${planted[37]}"}\n  asserting: {url: "http://127.0.0.1:1/asserting", grant: jwt_bearer, assertion: "${planted[38]}", client: {id: c, issuer: "http://127.0.0.1:1"}}\npolicy:`).replace(/token: \{file: [^}]*operator.token\}/, `token: "${planted[39]}"`));
  proxy.token = planted[39];
  await proxy.start();
  const { asked } = await live({ proxy });
  const made = await proxy.cli('debug', 'bundle', '--output', join(proxy.dir, 'bundle.tar.gz'));
  assert.equal(made.code, 0, made.stderr);
  assert.equal(statSync(join(proxy.dir, 'bundle.tar.gz')).mode & 0o777, 0o600);
  const dir = mkdtempSync(join(tmpdir(), 'mcp-reauth-bundle-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  execFileSync('tar', ['xzf', join(proxy.dir, 'bundle.tar.gz'), '-C', dir]);
  const names = readdirSync(dir, { recursive: true });
  for (const name of ['about.txt', 'check.json', 'history.json', 'log.txt', 'metrics.txt', 'ready.txt', 'audit.json', join('doctor', 'files.json'), join('timelines', `${asked.recovery}.json`)]) assert.ok(names.includes(name), `${name} of ${names}`);
  const all = names.filter((n) => statSync(join(dir, n)).isFile()).map((n) => readFileSync(join(dir, n), 'utf8')).join('\n');
  for (const secret of [...planted, ...rs.counts.bearers, readFileSync(join(proxy.dir, 'vault.key'), 'utf8').trim()]) assert.ok(!all.includes(secret), `${secret.slice(0, 17)}… is in the bundle`);
  assert.match(readFileSync(join(dir, 'about.txt'), 'utf8'), /^mcp-reauth \d/);
  assert.match(readFileSync(join(dir, 'metrics.txt'), 'utf8'), /^mcp_reauth_requests_total [1-9]/m);
  assert.match(readFileSync(join(dir, 'check.json'), 'utf8'), /"files"/);
  assert.match(readFileSync(join(dir, 'log.txt'), 'utf8'), /approval needed/);
  assert.ok(!all.includes('worth it'), 'nor an argument of a call');
  assert.equal((await proxy.cli('debug', 'bundle', '--output', join(proxy.dir, 'bundle.tar.gz'))).code, 2, 'nothing is overwritten');
  passed();
});
