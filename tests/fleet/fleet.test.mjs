// Three replicas are one: what one of them asks, stores or forgets is known to all, and none of their deaths is noticed.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { said, v1 } from '../e2e/lib/clients.mjs';
import { signIn } from '../e2e/lib/person.mjs';
import { until } from '../e2e/lib/proxy.mjs';
import './identity.mjs'; // here: all of them have one PostgreSQL, and begin with an empty one
import { makeFleet, pause, restartPostgres, visitAt } from './lib.mjs';

/// The person signs in for a request that is held at A: decided through B, its callback at C.
async function signInAcross({ replicas: [a, b, c], publicUrl }) {
  const held = v1(`${a.origin}/files`);
  const connecting = held.open();
  connecting.catch(() => {}); // awaited below
  const asked = await b.oneApproval();
  assert.deepEqual((await until(async () => (await c.waiting())[0], { what: 'the approval at C' })).id, asked.id);
  assert.equal((await a.waiting())[0].id, asked.id);
  assert.ok(asked.link.startsWith(publicUrl), 'the link names no replica');
  const page = await visitAt(c, publicUrl, asked.link);
  assert.equal(page.status, 200, 'any replica shows the page');
  const approved = await b.api(`/api/approvals/${asked.id}/approve`, { method: 'POST', body: '{}' });
  assert.equal(approved.status, 200, JSON.stringify(approved.body));
  const again = await until(async () => {
    const other = await c.api(`/api/approvals/${asked.id}/approve`, { method: 'POST', body: '{}' });
    return other.body.location === approved.body.location && other;
  }, { what: 'C to send to the same flow' });
  assert.equal(again.status, 200);
  const { callback } = await signIn(approved.body.location, { stopAt: publicUrl });
  const end = await visitAt(c, publicUrl, callback);
  assert.equal(end.status, 200, end.body);
  await connecting;
  return { held, asked };
}

const call = (client, message) => client.callTool({ name: 'echo', arguments: { message } }).then(said);

test('an approval is listed, shown and decided at any replica, and the request held at another goes on', { timeout: 60_000 }, async (t) => {
  const fleet = await makeFleet(t);
  const { held, asked } = await signInAcross(fleet);
  assert.equal(await call(held, 'x'), 'x');
  for (const replica of fleet.replicas) {
    await until(async () => (await replica.waiting()).length === 0, { what: `${replica.name} to hear of the end` });
    const late = await replica.api(`/api/approvals/${asked.id}/deny`, { method: 'POST', body: '{}' });
    assert.equal(late.status, 409, 'decided already');
    const client = v1(`${replica.origin}/files`);
    await client.open(); // nobody is asked again
    assert.equal(await call(client, replica.name), replica.name);
    await client.close();
  }
  assert.equal(fleet.as.counts.authorizations, 1);
  assert.equal(fleet.as.counts.registrations, 1);
  await held.close();
  fleet.passed();
});

test('what happened at one replica is told by every other, in one timeline, also after its death; audits of all verify together', { timeout: 60_000 }, async (t) => {
  const fleet = await makeFleet(t);
  const [a, b, c] = fleet.replicas;
  const { held, asked } = await signInAcross(fleet);
  await held.close();
  const entries = async (replica) => (await replica.api('/api/history')).body.history;
  const login = (list) => list.find((e) => e.how === 'login' && e.approval === asked.id);
  const told = await until(async () => login(await entries(b)), { what: 'the login at B' });
  assert.equal(told.recovery, asked.recovery, 'the approval that A opened names it');
  assert.match(told.by, /operator/);
  await a.kill();
  for (const replica of [b, c]) {
    const whole = await until(async () => {
      const { body } = await replica.api(`/api/history/${asked.recovery}`);
      return body.steps?.some((s) => s.what === 'redeem code') && body;
    }, { what: 'the timeline' });
    const steps = whole.steps.map((s) => s.what);
    for (const step of ['challenge', 'judged', 'approval', 'begin sign-in', 'redeem code', 'sign_in']) assert.ok(steps.includes(step), `${step} of ${steps}`);
    assert.ok(whole.process.split(', ').length >= 2, 'parts of several replicas');
    assert.deepEqual([...whole.steps].sort((x, y) => Date.parse(x.at) - Date.parse(y.at)).map((s) => s.at), whole.steps.map((s) => s.at));
  }
  const files = fleet.replicas.map((r) => join(r.dir, 'audit.jsonl'));
  const fine = await b.cli('audit', 'verify', ...files);
  assert.equal(fine.code, 0, fine.stdout);
  assert.equal(fine.stdout.match(/^audit /gm).length, 3);
  assert.ok(files.some((f) => readFileSync(f, 'utf8').includes(`"action":"approve","approval":"${asked.id}"`)));
  const lines = readFileSync(files[1], 'utf8').split('\n');
  writeFileSync(files[1], lines.with(0, lines[0].replace('"event":"start"', '"event":"stop"')).join('\n'));
  const changed = await b.cli('audit', 'verify', ...files);
  assert.equal(changed.code, 1);
  assert.ok(changed.stdout.includes(`${files[1]}:1: `), changed.stdout);
  fleet.passed();
});

test('a one-time link to the dashboard is redeemed at any replica, once', { timeout: 60_000 }, async (t) => {
  const fleet = await makeFleet(t);
  const [a, b, c] = fleet.replicas;
  const { stdout, code } = await a.cli('open');
  assert.equal(code, 0, stdout);
  const secret = /open#(\S+)/.exec(stdout)[1];
  const redeem = (replica) => fetch(`${replica.approvals}/open/redeem`, {
    method: 'POST', headers: { 'content-type': 'application/json', origin: replica.approvals }, body: JSON.stringify({ secret }),
  });
  const redeemed = await redeem(b);
  assert.equal(redeemed.status, 200);
  assert.equal((await redeemed.json()).token, b.token);
  for (const replica of [a, b, c]) assert.equal((await redeem(replica)).status, 403);
  fleet.passed();
});

test('a denial at one replica answers the request that is held at another', { timeout: 60_000 }, async (t) => {
  const fleet = await makeFleet(t);
  const [a, b] = fleet.replicas;
  const refused = v1(`${a.origin}/files`).open().then(() => undefined, (error) => error);
  const asked = await b.oneApproval();
  assert.equal((await b.deny(asked.id)).status, 200);
  const error = await refused;
  assert.match(String(error?.message), /denied/);
  fleet.passed();
});

test('a sign-out at one replica is a sign-out at all, and nothing is stored again', { timeout: 60_000 }, async (t) => {
  const fleet = await makeFleet(t);
  const { held } = await signInAcross(fleet);
  await held.close();
  const [a, ...others] = fleet.replicas;
  for (const replica of others) {
    const client = v1(`${replica.origin}/files`);
    await client.open();
    await client.close();
  }
  const { code, stderr } = await a.cli('logout', 'files');
  assert.equal(code, 0, stderr);
  const signedOut = Date.now();
  for (const replica of fleet.replicas)
    await until(async () => !(await replica.api('/api/credentials')).body.credentials[0].held, { what: `${replica.name} to sign out` });
  t.diagnostic(`all signed out ${Date.now() - signedOut} ms after the first`);
  await pause(2500); // longer than the token lives: nobody renews what is gone
  const refreshes = fleet.as.counts.refreshes;
  const refused = v1(`${others[0].origin}/files`).open().then(() => undefined, (error) => error);
  const asked = await others[1].oneApproval();
  await others[1].deny(asked.id);
  assert.match(String((await refused)?.message), /denied/);
  assert.equal(fleet.as.counts.refreshes, refreshes);
  fleet.passed();
});

test('100 clients notice neither a killed, nor a stopped replica, nor a PostgreSQL that restarts', { timeout: 180_000 }, async (t) => {
  const fleet = await makeFleet(t);
  const { as, rs, replicas } = fleet;
  const { held } = await signInAcross(fleet);
  await held.close();

  const clients = [];
  for (let i = 0; i < 100; i++) clients.push(await v1(fleet.url, { transport: { reconnectionOptions: { maxRetries: 100, initialReconnectionDelay: 200, maxReconnectionDelay: 2000, reconnectionDelayGrowFactor: 1.5 } } }).open());
  const problems = [];
  let calls = 0, running = true, killedAt = 0, slowest = 0;
  const work = clients.map(async (client, i) => {
    for (let n = 0; running; n++) {
      const begun = Date.now();
      const word = `${i}.${n}`;
      try {
        assert.equal(await call(client, word), word);
        calls++;
      } catch (error) {
        problems.push({ begun, ended: Date.now(), message: String(error.message) });
      }
      slowest = Math.max(slowest, Date.now() - begun);
      await pause(200 + Math.random() * 600);
    }
  });
  const started = Date.now();
  const at = (second) => pause(started + second * 1000 - Date.now());
  await at(10);
  // between two rotations: what a kill in the middle of one costs is the subject of kills.test.mjs
  const refreshes = as.counts.refreshes;
  await until(() => as.counts.refreshes > refreshes, { what: 'a refresh' });
  await pause(500);
  killedAt = Date.now();
  await replicas[0].kill('SIGKILL');
  await at(14);
  await replicas[0].start();
  await at(22);
  replicas[1].child.kill('SIGSTOP');
  await at(30);
  replicas[1].child.kill('SIGCONT');
  await at(40);
  restartPostgres();
  await at(60);
  running = false;
  await Promise.all(work);

  const excused = problems.filter((p) => p.begun <= killedAt + 50 && p.ended >= killedAt); // on the killed replica's connections
  const tokens = rs.counts.tokens.size;
  t.diagnostic(`${calls} calls, slowest ${slowest} ms, ${problems.length} errors of which ${excused.length} on open connections of the killed replica; ` +
    `${as.counts.refreshes} refreshes, ${tokens} tokens used, ${as.counts.reuses} reuses, ${as.counts.authorizations} sign-ins`);
  assert.deepEqual(problems.filter((p) => !excused.includes(p)), []);
  assert.ok(calls > 3000, `calls: ${calls}`);
  assert.equal(as.counts.reuses, 0);
  assert.equal(as.counts.authorizations, 1, 'forced logins');
  assert.equal(as.counts.registrations, 1);
  // every refresh brought a token that was used; one may have died with the killed replica
  assert.ok(Math.abs(as.counts.refreshes - (tokens - 1)) <= 1, `${as.counts.refreshes} refreshes, ${tokens} tokens`);
  assert.ok(as.counts.refreshes >= 15, `refreshes: ${as.counts.refreshes}`);
  for (const replica of replicas) assert.deepEqual(await replica.waiting(), []);
  await Promise.all(clients.map((client) => client.close()));
  fleet.passed();
});
