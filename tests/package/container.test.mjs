// The container's and the chart's files, by linters: neither an engine nor a cluster is needed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, root } from '../e2e/lib/proxy.mjs';

const require = createRequire(join(root, 'tests/e2e/package.json'));
const { validate, ValidationSeverity } = require('dockerfile-utils');
const { parse } = require('yaml');
const Ajv = require('ajv/dist/2020.js').default;
const file = (path) => readFileSync(join(root, path), 'utf8');

test('the Containerfile is clean, not root, and starts and asks the program by its path', () => {
  const text = file('conf/package/container/Containerfile');
  assert.deepEqual(validate(text, { deprecatedMaintainer: ValidationSeverity.ERROR }).map((p) => `${p.range.start.line + 1}: ${p.message}`), []);
  const last = text.split(/^FROM /m).at(-1);
  assert.match(last, /^scratch\n/);
  assert.match(last, /^USER 8970:8970$/m);
  assert.match(last, /^HEALTHCHECK .*CMD \["\/usr\/bin\/mcp-reauth", "status"/m);
  for (const verb of ['status', 'serve']) assert.match(execFileSync(binary, [verb, '--help'], { encoding: 'utf8' }), /--config/);
});

test("the chart's configuration is valid, and what its templates take of the values is there", () => {
  const chart = 'conf/package/helm/mcp-reauth';
  const values = parse(file(`${chart}/values.yaml`));
  const check = new Ajv({ strict: true, allowUnionTypes: true }).compile(JSON.parse(execFileSync(binary, ['schema'])));
  assert.ok(check(values.config), JSON.stringify(check.errors));
  const about = parse(file(`${chart}/Chart.yaml`));
  assert.equal(about.apiVersion, 'v2');
  const version = /^project\(mcp_reauth VERSION ([\d.]+)/m.exec(file('CMakeLists.txt'))[1];
  assert.equal(about.appVersion, version);
  const mounted = [];
  for (const name of readdirSync(join(root, chart, 'templates'))) {
    const text = file(`${chart}/templates/${name}`);
    for (const begun of text.split('{{').slice(1)) assert.match(begun, /^[^\n]*?\}\}/, name);
    for (const [, path] of text.matchAll(/\.Values\.([\w.]+)/g))
      assert.notEqual(path.split('.').reduce((at, key) => at?.[key], values), undefined, `${name}: ${path}`);
    mounted.push(...[...text.matchAll(/mountPath: ([\w/-]+)/g)].map((m) => m[1]));
  }
  for (const [, path] of JSON.stringify(values.config).matchAll(/"(\/run\/[\w./-]+)"/g))
    assert.ok(mounted.some((m) => path.startsWith(`${m}/`)), path);
});
