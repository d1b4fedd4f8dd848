// Runs a stdio server's command as Claude Desktop does, and lists its tools: what comes out is what its user would see.
import { readFileSync } from 'node:fs';
import { Client } from '../e2e/node_modules/@modelcontextprotocol/sdk/dist/esm/client/index.js';
import { StdioClientTransport } from '../e2e/node_modules/@modelcontextprotocol/sdk/dist/esm/client/stdio.js';

const [entry] = Object.values(JSON.parse(readFileSync(process.argv[2], 'utf8')).mcpServers);
const { command, args } = entry;
const client = new Client({ name: 'claude-desktop', version: '1' }, {});
try {
  await client.connect(new StdioClientTransport({ command, args, env: process.env, stderr: 'inherit' }), { timeout: 30_000 });
  console.log('tools:', (await client.listTools()).tools.map((t) => t.name).join(' '));
  await client.close();
} catch (error) {
  console.log('error:', error.message);
}
process.exit(0);
