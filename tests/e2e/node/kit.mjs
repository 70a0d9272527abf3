// One face for the official SDK clients of both generations, so that a scenario is written once and runs in every era.
//   client: v1 (SDK 1.x), v2-legacy, v2-modern (client 2.x at 2025-11-25 or pinned to 2026-07-28)
//   transport: http (Streamable HTTP), sse (HTTP+SSE), stdio (through `sallyport stdio`)
// Environment: BASE (http://127.0.0.1:port), SERVER, TOKEN; for stdio SALLYPORT and HOME_DIR.
const info = { name: 'sallyport-e2e', version: '1.0.0' };
export const MODERN = '2026-07-28';

async function generation1() {
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
  const { SSEClientTransport } = await import('@modelcontextprotocol/sdk/client/sse.js');
  const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js');
  const types = await import('@modelcontextprotocol/sdk/types.js');
  const schemas = {
    'elicitation/create': types.ElicitRequestSchema, 'sampling/createMessage': types.CreateMessageRequestSchema,
    'roots/list': types.ListRootsRequestSchema, 'notifications/resources/updated': types.ResourceUpdatedNotificationSchema,
    'notifications/tools/list_changed': types.ToolListChangedNotificationSchema,
  };
  return {
    http: StreamableHTTPClientTransport, sse: SSEClientTransport, stdio: StdioClientTransport,
    client: capabilities => new Client(info, { capabilities }),
    answer: (c, method, handler) => c.setRequestHandler(schemas[method], handler),
    on: (c, method, handler) => c.setNotificationHandler(schemas[method], handler),
    call: (c, params, options) => c.callTool(params, undefined, options),
  };
}

async function generation2(mode) {
  const { Client, StreamableHTTPClientTransport, SSEClientTransport } = await import('@modelcontextprotocol/client');
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
  return {
    http: StreamableHTTPClientTransport, sse: SSEClientTransport, stdio: StdioClientTransport,
    client: capabilities => new Client(info, { capabilities, versionNegotiation: { mode } }),
    answer: (c, method, handler) => c.setRequestHandler(method, handler),
    on: (c, method, handler) => c.setNotificationHandler(method, handler),
    call: (c, params, options) => c.callTool(params, options),
  };
}

const KINDS = { 'v1': generation1, 'v2-legacy': () => generation2('legacy'), 'v2-modern': () => generation2({ pin: MODERN }) };

function transport(kit, name) {
  const { BASE, SERVER, TOKEN, SALLYPORT, HOME_DIR } = process.env;
  if (name === 'stdio') {
    return new kit.stdio({ command: SALLYPORT, args: ['--home', HOME_DIR, 'stdio', '--server', SERVER], env: { MCP_API_KEY: TOKEN }, stderr: 'inherit' });
  }
  const path = name === 'sse' ? 'sse' : 'mcp';
  return new kit[name](new URL(`${BASE}/${path}/${SERVER}`), { requestInit: { headers: { Authorization: `Bearer ${TOKEN}` } } });
}

// The progress that a transport brings, in order; asked for before the client is connected. Not what `onprogress` hears: a
// client of the SDK forgets that handler when it reads a result, before it has run it for progress read in the same chunk.
export function progressOf(line) {
  const heard = [];
  line.onmessage = message => { if (message.method === 'notifications/progress') heard.push(message.params.progress); };
  return heard;
}

// `answers`: { elicit, sample, roots }, each (params) => result; what has an answer is declared as a capability.
export async function open(kind, transportName, answers = {}) {
  const kit = await KINDS[kind]();
  const capabilities = {
    ...(answers.elicit && { elicitation: { form: { applyDefaults: true } } }),
    ...(answers.sample && { sampling: {} }),
    ...(answers.roots && { roots: { listChanged: true } }),
  };
  const client = kit.client(capabilities);
  const modern = kind === 'v2-modern';
  if (answers.elicit) kit.answer(client, 'elicitation/create', async request => answers.elicit(request.params));
  if (answers.sample) kit.answer(client, 'sampling/createMessage', async request => answers.sample(request.params));
  if (answers.roots) kit.answer(client, 'roots/list', async () => answers.roots());
  const line = transport(kit, transportName);
  const progress = progressOf(line);
  await client.connect(line);
  return {
    client, modern, progress,
    call: (name, args = {}, options) => kit.call(client, { name, arguments: args }, options),
    on: (method, handler) => kit.on(client, method, handler),
    subscribe: async uri => modern ? client.listen({ resourceSubscriptions: [uri] }) : client.subscribeResource({ uri }),
    close: async () => {
      if (transportName === 'http' && !modern) await line.terminateSession();
      await client.close();
    },
  };
}

export const text = result => result.content?.find(part => part.type === 'text')?.text ?? JSON.stringify(result);

// What a refusal said, be it an error or a result with isError; throws when there was none.
export async function refusal(promise) {
  let result;
  try {
    result = await promise;
  } catch (error) {
    return String(error.message);
  }
  if (!result.isError) throw new Error(`was not refused: ${JSON.stringify(result).slice(0, 500)}`);
  return text(result);
}

export function within(promise, seconds, what) {
  let timer;
  const late = new Promise((_, no) => { timer = setTimeout(no, seconds * 1000, new Error(`${what} did not come within ${seconds} s`)); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
