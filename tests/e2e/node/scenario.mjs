// What the official SDK clients do through the gateway; the same for both generations, which differ in a few calls.
//   node scenario.mjs v1|v2 http|stdio everything|filesystem|calculator
// Environment: URL and TOKEN (http), SALLYPORT, HOME_DIR, SERVER and MCP_API_KEY (stdio), ROOT (filesystem). Prints "done" at the end.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { progressOf } from './kit.mjs';

const [generation, transportName, server] = process.argv.slice(2);
const info = { name: 'sallyport-e2e', version: '1.0.0' };

async function sdk() {
  if (generation === 'v1') {
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
    const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
    const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js');
    const types = await import('@modelcontextprotocol/sdk/types.js');
    return {
      Http: StreamableHTTPClientTransport, Stdio: StdioClientTransport,
      client: () => new Client(info, { capabilities: {} }),
      call: (c, params, options) => c.callTool(params, undefined, options),
      on: (c, method, schema, handler) => c.setNotificationHandler(types[schema], handler),
    };
  }
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
  return {
    Http: StreamableHTTPClientTransport, Stdio: StdioClientTransport,
    client: () => new Client(info, { capabilities: {}, versionNegotiation: { mode: 'legacy' } }),
    call: (c, params, options) => c.callTool(params, options),
    on: (c, method, _schema, handler) => c.setNotificationHandler(method, handler),
  };
}

function transport(kit) {
  if (transportName === 'http') {
    return new kit.Http(new URL(process.env.URL), { requestInit: { headers: { Authorization: `Bearer ${process.env.TOKEN}` } } });
  }
  const { SALLYPORT, HOME_DIR, MCP_API_KEY, SERVER } = process.env;
  return new kit.Stdio({ command: SALLYPORT, args: ['--home', HOME_DIR, 'stdio', '--server', SERVER], env: { MCP_API_KEY }, stderr: 'inherit' });
}

const text = result => result.content[0].text;
async function refused(promise, pattern) {
  let said;
  try {
    const result = await promise;
    assert.ok(result.isError, `was not refused: ${JSON.stringify(result)}`);
    said = text(result);
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    said = String(error.message);
  }
  assert.match(said, pattern);
}

async function everything(kit, c, progress) {
  assert.equal(c.getServerVersion().name, 'sallyport');
  await c.ping();
  const { tools } = await c.listTools();
  const names = tools.map(t => t.name);
  for (const name of ['echo', 'get-sum', 'trigger-long-running-operation', 'get-tiny-image', 'get-structured-content']) assert.ok(names.includes(name), `${name} is not listed: ${names}`);
  assert.equal(text(await kit.call(c, { name: 'echo', arguments: { message: 'h\u00e9llo \ud83d\ude80 "quoted"\n' } })), 'Echo: h\u00e9llo \ud83d\ude80 "quoted"\n');
  assert.match(text(await kit.call(c, { name: 'get-sum', arguments: { a: 2, b: 40 } })), /42/);
  const image = await kit.call(c, { name: 'get-tiny-image', arguments: {} });
  assert.ok(image.content.some(part => part.type === 'image' && part.data.length > 100));
  const structured = await kit.call(c, { name: 'get-structured-content', arguments: { location: 'Chicago' } });
  assert.equal(typeof structured.structuredContent.temperature, 'number');

  await refused(kit.call(c, { name: 'get-sum', arguments: { a: 'two', b: 1 } }), /\/a/);
  await refused(kit.call(c, { name: 'no-such-tool', arguments: {} }), /Unknown tool/);

  const long = await kit.call(c, { name: 'trigger-long-running-operation', arguments: { duration: 0.5, steps: 5 } }, { onprogress: () => {} });
  assert.match(text(long), /completed/);
  assert.deepEqual(progress, [1, 2, 3, 4, 5]);

  const stop = new AbortController();
  const began = Date.now();
  const cancelled = kit.call(c, { name: 'trigger-long-running-operation', arguments: { duration: 30, steps: 300 } }, { signal: stop.signal, onprogress: () => stop.abort('enough') });
  await assert.rejects(cancelled);
  assert.ok(Date.now() - began < 10_000, 'the cancelled call ended late');
  assert.match(text(await kit.call(c, { name: 'echo', arguments: { message: 'still here' } })), /still here/);

  const { resources } = await c.listResources();
  assert.ok(resources.length > 0);
  const read = await c.readResource({ uri: resources[0].uri });
  assert.equal(read.contents[0].uri, resources[0].uri);
  const { resourceTemplates } = await c.listResourceTemplates();
  assert.ok(resourceTemplates.some(t => t.uriTemplate.includes('{resourceId}')));
  const dynamic = await c.readResource({ uri: 'demo://resource/dynamic/text/7' });
  assert.match(dynamic.contents[0].text, /7/);

  const { prompts } = await c.listPrompts();
  assert.ok(prompts.some(p => p.name === 'args-prompt'));
  const prompt = await c.getPrompt({ name: 'args-prompt', arguments: { city: 'Zagreb' } });
  assert.match(prompt.messages[0].content.text, /Zagreb/);
  const completion = await c.complete({ ref: { type: 'ref/prompt', name: 'completable-prompt' }, argument: { name: 'department', value: 'E' } });
  assert.deepEqual(completion.completion.values, ['Engineering']);
  await c.setLoggingLevel('debug');
}

async function logging(kit, c) {
  let heard;
  const message = new Promise(resolve => { heard = resolve; });
  kit.on(c, 'notifications/message', 'LoggingMessageNotificationSchema', n => heard(n.params));
  await c.setLoggingLevel('debug');
  await kit.call(c, { name: 'toggle-simulated-logging', arguments: {} });
  const params = await Promise.race([message, new Promise((_, no) => setTimeout(no, 20_000, new Error('no log message came')).unref())]);
  assert.ok(params.level && params.data !== undefined);
  await kit.call(c, { name: 'toggle-simulated-logging', arguments: {} });
}

async function filesystem(kit, c) {
  const root = process.env.ROOT;
  const { tools } = await c.listTools();
  assert.ok(tools.length >= 10, `${tools.length} tools`);
  const file = `${root}/from-${generation}.txt`;
  await kit.call(c, { name: 'write_file', arguments: { path: file, content: 'written through the gateway\n' } });
  assert.equal(await readFile(file, 'utf8'), 'written through the gateway\n');
  assert.match(text(await kit.call(c, { name: 'read_text_file', arguments: { path: file } })), /written through the gateway/);
  assert.match(text(await kit.call(c, { name: 'list_directory', arguments: { path: root } })), new RegExp(`from-${generation}`));
  await refused(kit.call(c, { name: 'read_text_file', arguments: { path: '/etc/passwd' } }), /denied|outside|not allowed/i);
  await refused(kit.call(c, { name: 'read_text_file', arguments: { path: 7 } }), /\/path/);
  assert.match(text(await kit.call(c, { name: 'list_allowed_directories', arguments: {} })), new RegExp(root));
}

async function calculator(kit, c, progress) {
  const { tools } = await c.listTools();
  assert.deepEqual(tools.map(t => t.name).sort(), ['add', 'divide', 'multiply', 'slow_sum', 'subtract']);
  const sum = await kit.call(c, { name: 'add', arguments: { a: 2, b: 3 } });
  assert.equal(sum.structuredContent.result, 5);
  const zero = await kit.call(c, { name: 'divide', arguments: { a: 1, b: 0 } });
  assert.ok(zero.isError);
  const slow = await kit.call(c, { name: 'slow_sum', arguments: { numbers: [1, 2, 3], step_ms: 30 } }, { onprogress: () => {} });
  assert.equal(slow.structuredContent.result, 6);
  assert.deepEqual(progress, [1, 2, 3]);
  const { resources } = await c.listResources();
  assert.equal(resources[0].uri, 'calc://constants');
  const { prompts } = await c.listPrompts();
  assert.equal(prompts[0].name, 'explain');
}

const kit = await sdk();
const client = kit.client();
const line = transport(kit);
const progress = progressOf(line);
await client.connect(line);
await { everything, filesystem, calculator, logging }[server](kit, client, progress);
if (transportName === 'http') await line.terminateSession();
await client.close();
console.log('done');
