// README's pictures, made of the program as it is: the demo's output as an SVG that plays, and the approval page in Chromium.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAndApprove, use } from '../tests/e2e/lib/house.mjs';
import { v1 } from '../tests/e2e/lib/clients.mjs';
import { binary, root } from '../tests/e2e/lib/proxy.mjs';

const images = join(root, 'docs/images');
mkdirSync(images, { recursive: true });

/// The lines of a run, each with the second at which it came.
async function recorded() {
  const home = mkdtempSync(join(tmpdir(), 'reauth-pictures-'));
  const child = spawn(binary, ['demo'], { env: { ...process.env, HOME: home }, stdio: ['ignore', 'pipe', 'ignore'] });
  const begun = Date.now();
  const lines = [];
  let rest = '';
  for await (const data of child.stdout) {
    const parts = (rest + data).split('\n');
    rest = parts.pop();
    for (const text of parts) lines.push({ text, at: (Date.now() - begun) / 1000 });
  }
  rmSync(home, { recursive: true });
  return lines;
}

const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const colour = (text) => (/^client/.test(text) ? '#9ecbff' : /^proxy/.test(text) ? '#b4f0a7' : /^person/.test(text) ? '#ffd479' : /^server/.test(text) ? '#d7b3ff' : '#e6e6e6');

/// Plays once and stays at its end; who wants no motion sees the end.
function terminal(lines) {
  const shown = 30, high = 19, wide = 860;
  let at = 0, before = 0;
  const played = [{ text: '$ mcp-reauth demo', at: 0 }, ...lines].map(({ text, at: when }) => {
    at += Math.min(when - before, 0.45); // waiting is shortened, nothing is left out
    before = when;
    return { text, at: 0.6 + at };
  });
  const end = played.at(-1).at + 0.1;
  const steps = played.map((line, i) => ({ at: line.at, up: Math.max(0, i + 1 - shown) * high })).filter((s) => s.up > 0);
  const frames = ['0%{transform:translateY(0)}', ...steps.map((s) => `${((100 * s.at) / end).toFixed(2)}%{transform:translateY(-${s.up}px)}`)];
  frames.push(`100%{transform:translateY(-${steps.at(-1)?.up ?? 0}px)}`);
  const rows = played.map((line, i) =>
    `<text y="${(i + 1) * high - 5}" fill="${colour(line.text)}" style="animation-delay:${line.at.toFixed(2)}s">${escape(line.text) || ' '}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${wide}" height="${shown * high + 60}" viewBox="0 0 ${wide} ${shown * high + 60}" role="img" aria-label="mcp-reauth demo in a terminal">
<style>
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre;opacity:0;animation:show 0s forwards}
.all{animation:up ${end.toFixed(2)}s step-end forwards}
@keyframes show{to{opacity:1}}
@keyframes up{${frames.join('')}}
@media(prefers-reduced-motion:reduce){text{animation:none;opacity:1}.all{animation:none;transform:translateY(-${steps.at(-1)?.up ?? 0}px)}}
</style>
<rect width="100%" height="100%" rx="10" fill="#16181d"/>
<circle cx="20" cy="20" r="6" fill="#ff5f57"/><circle cx="40" cy="20" r="6" fill="#febc2e"/><circle cx="60" cy="20" r="6" fill="#28c840"/>
<svg x="18" y="38" width="${wide - 36}" height="${shown * high + 8}"><g class="all" xml:space="preserve">
${rows.join('\n')}
</g></svg>
</svg>
`;
}

/// A step-up on the page, as large as it is.
async function approvalPage() {
  const { chromium } = createRequire(join(root, 'tests/e2e/package.json'))('playwright-core');
  const ends = [];
  const t = { after: (end) => ends.unshift(end), diagnostic: (text) => console.error(text) };
  try {
    const { proxy, url, passed } = await use(t);
    const client = v1(url, { info: { name: 'Claude Code', version: '2.1' } });
    await connectAndApprove(proxy, client);
    const call = client.callTool({ name: 'admin', arguments: {} });
    call.catch(() => {});
    const { link } = await proxy.oneApproval();
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] });
    t.after(() => browser.close());
    const page = await (await browser.newContext({ viewport: { width: 780, height: 792 } })).newPage();
    await page.goto(link);
    await page.screenshot({ path: join(images, 'approval.png') });
    passed();
  } finally {
    for (const end of ends) await end();
  }
  execFileSync('convert', [join(images, 'approval.png'), '-dither', 'None', '-colors', '96', '-strip', `PNG8:${join(images, 'approval.png')}`]);
}

writeFileSync(join(images, 'demo.svg'), terminal(await recorded()));
await approvalPage();
process.exit(0);
