// Debian's Chromium under playwright-core, and the two things every page is put through: a screenshot and axe-core.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { root } from './proxy.mjs';

const artifacts = join(root, 'tests/e2e/artifacts');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

export async function launch(t) {
  assert.ok(program, 'Chromium is needed: apt-get install chromium');
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  t.after(() => browser.close());
  return browser;
}

/// A fresh profile whose pages note every console error and every request that leaves loopback.
export async function person(browser, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico')) page.complaints.push(message.text());
  });
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (/^http/.test(protocol) && !['127.0.0.1', 'localhost'].includes(hostname)) page.complaints.push(`went to ${request.url()}`);
  });
  return page;
}

export async function screenshot(page, name) {
  mkdirSync(artifacts, { recursive: true });
  await page.screenshot({ path: join(artifacts, `${name}.png`), fullPage: true });
}

/// axe-core finds nothing to complain about. Evaluated from outside the page, so the page's own CSP stays in force.
export async function accessible(page, name) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html).join(' ')}`), [], `axe-core on ${name}`);
}

/// Signs in at the test provider, through its real forms, and allows (or refuses) what is asked.
export async function throughProvider(page, { refuse = false, account } = {}) {
  for (let i = 0; i < 3; i++) {
    const here = new URL(page.url());
    if (!here.pathname.startsWith('/interaction/')) return;
    if (account && await page.locator('input[name=account]').count()) await page.locator('input[name=account]').fill(account);
    const button = page.getByRole('button', { name: refuse && i > 0 ? 'Refuse' : /^(Sign in|Allow)$/ });
    await Promise.all([page.waitForURL((next) => next.href !== here.href), button.click()]);
  }
}
