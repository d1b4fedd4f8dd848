// Metrics before a real Prometheus, traces before OpenTelemetry's own packages.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT_CONTEXT, TraceFlags, defaultTextMapGetter, defaultTextMapSetter, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { said, v1 } from './lib/clients.mjs';
import { startCollector } from './lib/collector.mjs';
import { connectAndApprove, use } from './lib/house.mjs';
import { freePorts, root, until } from './lib/proxy.mjs';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const evidence = (t, more = '', options = {}) => use(t, { ...options, proxy: { template: 'evidence.yaml', values: { audit: 'audit: {file: audit.jsonl, sign: {key: {file: audit.key}}}', more } } });

/// Values of each family: the samples' texts, histograms under their own name.
function families(text) {
  const out = new Map();
  let name = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('# TYPE ')) { name = line.split(' ')[2]; out.set(name, []); } else if (line && !line.startsWith('#')) out.get(name).push(line);
  }
  return out;
}

test('metrics: promtool finds nothing to complain about, a real Prometheus scrapes them, alert rules and dashboard know no others, and each one moves', { timeout: 180_000 }, async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());
  const { proxy, passed } = await evidence(t, `trace: {otlp: "${collector.url}", sample: all}`);
  const begun = new Set(['up']);
  const seen = new Map(); // family → the texts that it has had
  const look = async () => {
    for (const [name, samples] of families(await proxy.metrics())) seen.set(name, (seen.get(name) ?? new Set(seen.size && !begun.has(name) ? ['nothing yet'] : [])).add(samples.join('\n')));
  };
  await look();
  for (const name of seen.keys()) begun.add(name);
  const [prometheusPort] = await freePorts(1);
  const dir = mkdtempSync(join(tmpdir(), 'mcp-reauth-prometheus-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, 'prometheus.yml'), `global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: ["${join(root, 'conf/observe/alerts.yml')}"]\nscrape_configs:\n  - {job_name: mcp-reauth, static_configs: [{targets: ["127.0.0.1:${proxy.metricsPort}"]}]}\n`);
  const prometheus = spawn('prometheus', [`--config.file=${join(dir, 'prometheus.yml')}`, `--storage.tsdb.path=${join(dir, 'data')}`, `--web.listen-address=127.0.0.1:${prometheusPort}`, '--log.level=warn'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => prometheus.on('exit', resolve));
  t.after(async () => { prometheus.kill('SIGTERM'); await ended; });
  const query = async (q) => {
    const answer = await fetch(`http://127.0.0.1:${prometheusPort}/api/v1/query?query=${encodeURIComponent(q)}`).then((r) => r.json(), () => undefined);
    return answer?.data?.result ?? [];
  };

  const client = v1(`${proxy.origin}/files`);
  const opening = client.open();
  opening.catch(() => {});
  const login = await proxy.oneApproval();
  await look();
  await proxy.approve(login.id);
  await opening;
  await look();
  await pause(2100);
  await Promise.all(Array.from({ length: 5 }, () => client.callTool({ name: 'echo', arguments: { message: 'x' } })));
  const more = client.callTool({ name: 'admin', arguments: {} });
  const stepUp = await proxy.oneApproval();
  await look();
  await proxy.approve(stepUp.id);
  await more;
  const gated = v1(`${proxy.origin}/gated`);
  await connectAndApprove(proxy, gated);
  const no = gated.callTool({ name: 'echo', arguments: { message: 'no' } });
  no.catch(() => {});
  await proxy.deny((await proxy.oneApproval()).id);
  await no.catch(() => {});
  await fetch(`${proxy.origin}/files`, { method: 'GET', headers: { accept: 'text/event-stream' } }).then((r) => r.body?.cancel());
  collector.answer(503);
  await client.callTool({ name: 'echo', arguments: { message: 'untold' } });
  await until(async () => { await look(); return /spans_dropped_total [1-9]/.test(await proxy.metrics()); }, { what: 'dropped spans', ms: 30_000 });
  await client.close();
  await gated.close();
  assert.equal((await proxy.cli('logout', 'files')).code, 0);
  await look();

  const text = await proxy.metrics();
  const lint = execFileSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8', stdio: 'pipe' });
  assert.equal(lint.trim(), '', 'promtool check metrics');
  await until(async () => (await query('up{job="mcp-reauth"}')).some((r) => r.value[1] === '1'), { what: 'a scrape', ms: 30_000 });
  await until(async () => (await query('sum(mcp_reauth_recoveries_total{how="refresh", outcome="ok"})'))[0]?.value[1] >= 1, { what: 'the renewals in Prometheus' });
  await until(async () => (await query('histogram_quantile(0.5, sum by (le) (mcp_reauth_own_duration_seconds_bucket))'))[0]?.value[1] > 0, { what: 'a quantile of our own time' });

  // each one moved: here, or where its fault is made (named beside it)
  const elsewhere = {
    mcp_reauth_resent_total: 'integration', mcp_reauth_callers_verified_total: 'company', mcp_reauth_callers_refused_total: 'company',
    mcp_reauth_refresh_failures_total: 'unit', mcp_reauth_machine_tokens_total: 'unit', mcp_reauth_mints_total: 'company', mcp_reauth_identities_ended_total: 'people',
    mcp_reauth_unsaved_credentials: 'integration', mcp_reauth_principals: 'company', mcp_reauth_replay_bytes: 'integration',
    mcp_reauth_vault_errors_total: 'observe: a vault that fails', mcp_reauth_timelines_lost_total: 'observe: a vault that fails', mcp_reauth_audit_lost_total: 'unit', mcp_reauth_audit_failing: 'evidence',
    mcp_reauth_audit_waiting: 'evidence', mcp_reauth_build_info: 'constant', process_start_time_seconds: 'constant', mcp_reauth_vault_waiting: 'unit', mcp_reauth_joined_total: 'here, by chance',
    mcp_reauth_principal_requests: 'limits',
  };
  const still = [...seen].filter(([name, texts]) => texts.size < 2 && !(name in elsewhere)).map(([name]) => name);
  assert.deepEqual(still, [], 'metrics that did not move');
  const used = `${readFileSync(join(root, 'conf/observe/alerts.yml'), 'utf8')}${readFileSync(join(root, 'conf/observe/grafana.json'), 'utf8')}`;
  const known = new Set([...families(await proxy.metrics()).keys(), ...seen.keys(), 'mcp_reauth_news_age_seconds', 'mcp_reauth_credential_expires_seconds']);
  const unknown = [...new Set(used.match(/mcp_reauth_\w+/g))].map((n) => n.replace(/_bucket$/, '')).filter((n) => !known.has(n));
  assert.deepEqual(unknown, [], 'metrics that nobody serves');
  assert.deepEqual(collector.problems, []);
  passed();
});

test('alert rules fire where they should, and are quiet where all is well', () => {
  const said_ = execFileSync('promtool', ['test', 'rules', 'alerts_test.yml'], { cwd: join(root, 'conf/observe'), encoding: 'utf8' });
  assert.match(said_, /SUCCESS/);
});

test('traces: the client\'s trace goes on through us to the server; a recovery and its exchanges are spans of it', { timeout: 120_000 }, async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());
  const { rs, proxy, passed } = await evidence(t, `trace: {otlp: "${collector.url}", sample: all, headers: {X-Scope: "tenant-1"}}`);
  const propagator = new W3CTraceContextPropagator();
  const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.SAMPLED };
  const carrier = {};
  propagator.inject(trace.setSpanContext(ROOT_CONTEXT, parent), carrier, defaultTextMapSetter);
  const client = v1(`${proxy.origin}/files`, { transport: { requestInit: { headers: carrier } } });
  await connectAndApprove(proxy, client);
  await pause(2100);
  assert.equal(said(await client.callTool({ name: 'echo', arguments: { message: 'traced' } })), 'traced');
  await client.close();

  const call = await collector.find((s) => s.name === 'tools/call echo', 'the call\'s span');
  assert.equal(call.traceId, parent.traceId);
  assert.equal(call.parent, parent.spanId);
  assert.equal(call.kind, 2);
  assert.equal(call.attributes['mcp.method.name'], 'tools/call');
  assert.equal(call.attributes['gen_ai.tool.name'], 'echo');
  assert.equal(call.attributes['gen_ai.operation.name'], 'execute_tool');
  assert.equal(call.attributes['http.response.status_code'], 200);
  assert.ok(call.attributes['mcp.session.id']);
  assert.equal(call.resource['service.name'], 'mcp-reauth');
  const recovery = await collector.find((s) => s.name === 'recovery files' && s.parent === call.spanId, 'the renewal\'s span');
  assert.equal(recovery.traceId, parent.traceId);
  assert.match(recovery.attributes['mcp_reauth.recovery'], /^[0-9a-f-]{36}$/);
  assert.ok(recovery.events.includes('judged'));
  assert.ok(recovery.start >= call.start && recovery.end <= call.end);
  const exchange = await collector.find((s) => s.parent === recovery.spanId && s.kind === 3, 'the token request');
  assert.equal(exchange.name, 'POST');
  assert.equal(exchange.attributes['url.path'], '/token');
  assert.equal(exchange.attributes['http.response.status_code'], 200);
  assert.equal(exchange.attributes['server.address'], '127.0.0.1');
  // what the server saw continues ours, as OpenTelemetry reads it
  const there = rs.counts.traceparents.at(-1);
  const context = trace.getSpanContext(propagator.extract(ROOT_CONTEXT, { traceparent: there }, defaultTextMapGetter));
  assert.equal(context.traceId, parent.traceId);
  assert.ok(collector.spans.some((s) => s.spanId === context.spanId), 'its parent is a span of ours');
  assert.match(proxy.log, new RegExp(`"how":"refresh"[^\\n]*"recovery":"[^"]+","trace_id":"${parent.traceId}"`));
  assert.equal(collector.headers[0]['x-scope'], 'tenant-1');
  assert.deepEqual(collector.problems, []);
  passed();
});

test('traces: by default nothing is sent and traceparent passes as it came; `recoveries` sends them alone; a caller that does not record is not recorded', { timeout: 120_000 }, async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
  for (const [more, sample] of [['', 'none'], [`trace: {otlp: "${collector.url}"}`, 'recoveries'], [`trace: {otlp: "${collector.url}", sample: all}`, 'all']]) {
    const { rs, proxy, passed } = await evidence(t, more);
    const client = v1(`${proxy.origin}/files`, { transport: { requestInit: { headers: { traceparent } } } });
    await connectAndApprove(proxy, client);
    await client.callTool({ name: 'echo', arguments: { message: sample } });
    await client.close();
    assert.equal(rs.counts.traceparents.at(-1), traceparent, sample);
    await proxy.kill('SIGTERM');
    if (sample === 'none') assert.equal(collector.headers.length, 0);
    else assert.ok(collector.spans.some((s) => s.name === 'recovery files'));
    assert.ok(!collector.spans.some((s) => s.kind === 2), 'no request');
    passed();
  }
});
