// Runs a stdio server's command as Claude Desktop does, and lists its tools: what comes out is what its user would see.
import { readFileSync } from 'node:fs';
import { Client } from '../e2e/node_modules/@modelcontextprotocol/sdk/dist/esm/client/index.js';
import { StdioClientTransport } from '../e2e/node_modules/@modelcontextprotocol/sdk/dist/esm/client/stdio.js';

const [file, ...programs] = process.argv.slice(2); // the entry, and NAME=PATH of programs that npx would fetch
const [entry] = Object.values(JSON.parse(readFileSync(file, 'utf8')).mcpServers);
let { command, args } = entry;
for (const program of programs) {
  const [name, path] = program.split('=');
  const at = args.indexOf(name);
  if (command === 'npx' && at >= 0) [command, args] = [process.execPath, [path, ...args.slice(at + 1)]];
}
const client = new Client({ name: 'claude-desktop', version: '1' }, {});
try {
  await client.connect(new StdioClientTransport({ command, args, env: process.env, stderr: 'inherit' }), { timeout: 30_000 });
  console.log('tools:', (await client.listTools()).tools.map((t) => t.name).join(' '));
  await client.close();
} catch (error) {
  console.log('error:', error.message);
}
process.exit(0);
