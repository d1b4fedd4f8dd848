// A proxy that is never left alone: calls, held requests, streams, reloads, sign-outs, an authorization server that is
// killed. Its memory and descriptors must stay flat. `./dev soak [MINUTES]`; not part of ./dev test.
import { readdirSync, readFileSync, utimesSync } from 'node:fs';
import { startAuthorizationServer } from '../e2e/lib/authorization_server.mjs';
import { said, v1 } from '../e2e/lib/clients.mjs';
import { connectAndApprove } from '../e2e/lib/house.mjs';
import { startMcpServer } from '../e2e/lib/mcp_server.mjs';
import { makeProxy } from '../e2e/lib/proxy.mjs';
import { pause } from './lib.mjs';

const minutes = Number(process.argv[2] ?? 20);
const as = await startAuthorizationServer({ accessTokenSeconds: 2 });
const rs = await startMcpServer({ authorizationServer: as, heartbeat: 1000 });
const proxy = await makeProxy({ upstreamUrl: rs.url, values: { refresh_ahead: '0s' } });
await proxy.start();
const first = v1(`${proxy.origin}/files`);
await connectAndApprove(proxy, first);
await first.close();

const counts = { calls: 0, refused: 0, clients: 0, approved: 0, denied: 0, signOuts: 0, reloads: 0, crashes: 0, adminHeld: 0 };
let running = true;
const every = async (ms, work) => {
  while (running) {
    await pause(ms);
    if (running) await work().catch(() => {});
  }
};

/// A client lives for some calls; its GET stream opens and closes with it.
const lives = Array.from({ length: 20 }, async () => {
  while (running) {
    const client = v1(`${proxy.origin}/files`);
    try {
      await client.open();
      counts.clients++;
      for (let i = 0; i < 40 && running; i++) {
        await client.callTool({ name: 'echo', arguments: { message: 'x' } }).then(said).then(() => counts.calls++, () => counts.refused++);
        await pause(100 + Math.random() * 300);
      }
    } catch { counts.refused++; await pause(500); }
    await client.close().catch(() => {});
  }
});
/// Calls that a person has to decide about.
const askers = Array.from({ length: 5 }, async () => {
  while (running) {
    const client = v1(`${proxy.origin}/files`);
    try {
      await client.open();
      counts.adminHeld++;
      await client.callTool({ name: 'admin', arguments: {} }, undefined, { timeout: 8000 }).catch(() => {});
    } catch { /* signed out just now */ }
    await client.close().catch(() => {});
    await pause(1000 + Math.random() * 2000);
  }
});
const others = [
  every(700, async () => {
    for (const approval of await proxy.waiting()) {
      if (approval.kind === 'step_up' && Math.random() < 0.3) { await proxy.deny(approval.id); counts.denied++; continue; }
      if (approval.kind === 'step_up' && Math.random() < 0.5) continue; // waits a little longer
      await proxy.approve(approval.id).then(() => counts.approved++);
    }
  }),
  every(5000, async () => { const now = new Date(); utimesSync(proxy.config, now, now); counts.reloads++; }),
  every(17_000, async () => { await proxy.api('/api/logout', { method: 'POST', body: JSON.stringify({ upstream: 'files' }) }).then(() => counts.signOuts++); }),
  every(29_000, async () => { await as.crash(); counts.crashes++; await pause(2500); await as.restart(); }),
];

const samples = [];
const started = Date.now();
const pid = proxy.child.pid;
while (Date.now() - started < minutes * 60_000) {
  await pause(10_000);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const number = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]);
  samples.push({ at: Math.round((Date.now() - started) / 1000), rss: number('VmRSS'), fds: readdirSync(`/proc/${pid}/fd`).length });
  const now = samples.at(-1);
  console.log(`${String(now.at).padStart(5)} s  ${now.rss} kB  ${now.fds} fds  ${JSON.stringify(counts)} ${as.counts.refreshes} refreshes ${as.counts.reuses} reuses`);
}
running = false;
await Promise.all([...lives, ...askers, ...others]);
const mean = (part, of) => part.reduce((sum, s) => sum + s[of], 0) / part.length;
const third = Math.floor(samples.length / 3);
const [early, late] = [samples.slice(third, 2 * third), samples.slice(-third)];
const growth = { rss: mean(late, 'rss') - mean(early, 'rss'), fds: mean(late, 'fds') - mean(early, 'fds') };
console.log(`middle third ${Math.round(mean(early, 'rss'))} kB ${mean(early, 'fds').toFixed(1)} fds, last third ${Math.round(mean(late, 'rss'))} kB ${mean(late, 'fds').toFixed(1)} fds`);
const flat = growth.rss < Math.max(1024, 0.05 * mean(early, 'rss')) && growth.fds < 5;
const clean = as.counts.reuses === 0;
if (!flat || !clean) console.log(proxy.log.split('\n').slice(-30).join('\n'));
console.log(flat && clean ? 'COUNT 1 passed, 0 failed' : 'COUNT 0 passed, 1 failed');
await proxy.close();
process.exit(flat && clean ? 0 : 1);
