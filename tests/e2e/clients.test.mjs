// Published clients, unmodified, with the settings that client-config prints: what they show before anybody has signed in,
// and that they notice nothing of expiry and step-up. The large ones: ./dev clients.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { use } from './lib/house.mjs';
import { installed, prepare } from './lib/published.mjs';

for (const client of installed().filter((c) => ['inspector', 'mcporter'].includes(c.name))) {
  test(`${client.name} ${client.version}: first sign-in, expiry and step-up`, { timeout: 180_000 }, async (t) => {
    const { as, rs, proxy, url, passed } = await use(t);
    const { connect, call } = await prepare(client, proxy, url);

    const first = await connect();
    assert.equal(first.ok, false, first.out);
    const waiting = await proxy.oneApproval();
    if (client.name === 'inspector') assert.ok(first.out.includes(waiting.link), `it must show the link:\n${first.out}`);
    else assert.match(first.out, /405|approved/, first.out); // its fallback has the last word, and ends at once

    await proxy.approve(waiting.id);
    const second = await connect();
    assert.ok(second.ok, second.out);

    await new Promise((done) => setTimeout(done, as.settings.accessTokenSeconds * 1000 + 500)); // tokens are dead now
    const echoed = await call('echo', { message: 'still-here' });
    assert.match(echoed.out, /still-here/);
    assert.ok(as.counts.refreshes >= 1);

    const stepping = call('admin');
    const more = await proxy.oneApproval({ ms: 30_000 });
    assert.equal(more.kind, 'step_up');
    assert.ok(more.client, 'who asks is known on the step-up');
    await proxy.approve(more.id);
    assert.match((await stepping).out, /administered/);
    assert.equal(rs.counts.tools.admin, 1);
    assert.equal(as.counts.refreshErrors, 0);
    passed();
  });
}

test('the entry that client-config prints for Claude Desktop starts the program, with a file and with a URL alone', { timeout: 60_000 }, async (t) => {
  const { as, proxy, rs, passed } = await use(t);
  const client = installed().find(({ name }) => name === 'claude-desktop');
  const { connect } = await prepare(client, proxy);
  const opening = connect();
  await proxy.approve((await proxy.oneApproval()).id);
  const seen = await opening;
  assert.ok(seen.ok, seen.out);
  const { stdout } = await proxy.cli('client-config', rs.url, '--for', 'claude-desktop');
  const [entry] = Object.values(JSON.parse(stdout).mcpServers);
  assert.deepEqual(entry.args, ['stdio', rs.url]);
  assert.equal(as.counts.authorizations, 1);
  passed();
});
