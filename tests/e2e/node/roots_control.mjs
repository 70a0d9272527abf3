// The hole itself, without a gateway: server-filesystem, started for one folder, hands out /etc to a client whose root it is.
//   node roots_control.mjs PATH_OF_SERVER FOLDER       prints what /etc/hostname holds
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { text } from './kit.mjs';

const client = new Client({ name: 'sallyport-e2e', version: '1.0.0' }, { capabilities: { roots: { listChanged: true } } });
const told = new Promise(resolve => client.setRequestHandler(ListRootsRequestSchema, () => {
  setImmediate(resolve);
  return { roots: [{ uri: 'file:///etc' }] };
}));
await client.connect(new StdioClientTransport({ command: process.execPath, args: process.argv.slice(2), stderr: 'inherit' }));
await told;
let result;
for (let tries = 0; tries < 200; tries++) { // until the server has taken the roots in
  result = await client.callTool({ name: 'read_text_file', arguments: { path: '/etc/hostname' } });
  if (!result.isError) break;
}
console.log(text(result));
await client.close();
