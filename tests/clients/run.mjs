// ./dev clients: every published client that is installed, from a first sign-in that nobody has made; writes the table in
// docs/clients.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startAuthorizationServer } from '../e2e/lib/authorization_server.mjs';
import { startMcpServer } from '../e2e/lib/mcp_server.mjs';
import { makeProxy, root } from '../e2e/lib/proxy.mjs';
import { installed, prepare } from '../e2e/lib/published.mjs';

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/// What it shows of our answer.
function shows({ out, ok }, link) {
  if (ok) return 'connected (?)';
  if (out.includes(link)) return 'reason and link';
  const said = /SSE error: [^\n]*|timed out[^\n]*|Disconnected|Failed to connect[^\n]*/.exec(out)?.[0];
  return `\`${(said ?? out.trim().split('\n').at(-1) ?? '').slice(0, 70)}\``;
}

async function measure(client) {
  const as = await startAuthorizationServer({ accessTokenSeconds: 5 });
  const rs = await startMcpServer({ authorizationServer: as });
  const proxy = await makeProxy({ upstreamUrl: rs.url });
  try {
    await proxy.start();
    const { connect, call } = await prepare(client, proxy, `${proxy.origin}/files`);
    const first = await connect();
    const waiting = await proxy.oneApproval();
    await proxy.approve(waiting.id);
    const signedIn = await connect();
    await new Promise((done) => setTimeout(done, 5500));
    const expired = await connect();
    let stepUp = 'needs a model';
    if (call) {
      const calling = call('admin');
      const more = await proxy.oneApproval({ ms: 30_000 });
      await proxy.approve(more.id);
      stepUp = /administered/.test((await calling).out) ? 'waits, works' : 'FAILED';
    }
    const row = {
      title: `${client.title} ${client.version}`, first: shows(first, waiting.link), took: seconds(first.ms),
      signedIn: signedIn.ok ? 'works' : 'FAILED', expired: expired.ok ? 'works' : 'FAILED', stepUp,
    };
    if (Object.values(row).includes('FAILED')) console.error(signedIn.out, expired.out);
    return row;
  } finally {
    await proxy.close();
    await rs.close();
    await as.close();
  }
}

const wanted = process.argv.slice(2);
const rows = [];
for (const client of installed().filter((c) => !wanted.length || wanted.includes(c.name))) {
  const row = await measure(client);
  rows.push(row);
  console.log(`${row.title}: first ${row.first} after ${row.took}; signed in ${row.signedIn}; expired ${row.expired}; step-up ${row.stepUp}`);
}
const table = ['| client | not signed in: it shows | after | signed in | token expired | step-up |', '|---|---|---|---|---|---|',
  ...rows.map((r) => `| ${r.title} | ${r.first} | ${r.took} | ${r.signedIn} | ${r.expired} | ${r.stepUp} |`)].join('\n');
const file = join(root, 'docs/clients.md');
const [begin, end] = ['<!-- measured by ./dev clients -->', '<!-- end -->'];
const text = readFileSync(file, 'utf8');
if (!wanted.length) writeFileSync(file, text.slice(0, text.indexOf(begin) + begin.length) + `\n${table}\n` + text.slice(text.indexOf(end)));
const failed = rows.filter((r) => Object.values(r).includes('FAILED')).length;
console.log(`${rows.length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
