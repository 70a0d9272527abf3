// What real clients do with real servers through the gateway, the same in every era.
//   node eras.mjs v1|v2-legacy|v2-modern http|sse|stdio everything|memory|context7|roots
// Environment: as kit.mjs; for roots DOCUMENTS, a folder that the server may read. Prints "done" at the end.
import assert from 'node:assert/strict';
import { MODERN, open, refusal, text, within } from './kit.mjs';

const [kind, transport, scenario] = process.argv.slice(2);
const all = result => result.content.map(part => part.text ?? '').join('\n');

// Subscribes to `uri`, does `act`, and waits for the update that must follow.
async function updated(c, uri, act) {
  let heard;
  const update = new Promise(resolve => { heard = resolve; });
  c.on('notifications/resources/updated', n => { if (n.params.uri === uri) heard(n.params); });
  const subscription = await c.subscribe(uri);
  if (c.modern) assert.deepEqual(subscription.honoredFilter.resourceSubscriptions, [uri]);
  await act();
  await within(update, 15, `notifications/resources/updated of ${uri}`);
  if (c.modern) await subscription.close(); else await c.client.unsubscribeResource({ uri });
}

async function everything(c, asked) {
  const { tools } = await c.client.listTools();
  const names = tools.map(tool => tool.name);
  for (const name of ['echo', 'get-sum', 'get-structured-content', 'trigger-elicitation-request', 'trigger-sampling-request']) assert.ok(names.includes(name), `${name} is not listed: ${names}`);
  assert.ok(!names.includes('get-roots-list'), 'the server was told that its client has roots');
  const tasks = !c.modern && c.client.getServerCapabilities().tasks?.requests?.tools?.call; // what demands a task is no tool for who cannot make one
  assert.ok(tasks || !tools.some(tool => tool.execution?.taskSupport === 'required'), `listed without tasks: ${names}`);
  assert.equal(text(await c.call('echo', { message: 'h\u00e9llo \ud83d\ude80 "quoted"\n' })), 'Echo: h\u00e9llo \ud83d\ude80 "quoted"\n');
  assert.match(text(await c.call('get-sum', { a: 2, b: 40 })), /42/);
  const structured = await c.call('get-structured-content', { location: 'Chicago' });
  assert.equal(typeof structured.structuredContent.temperature, 'number');
  assert.match(await refusal(c.call('no-such-tool')), /Unknown tool/);

  asked.reply = { action: 'accept', content: { name: 'Ada Lovelace', check: true } };
  assert.match(all(await c.call('trigger-elicitation-request')), /Name: Ada Lovelace\n- Agreed to terms: true/);
  assert.match(asked.elicit.at(-1).message, /Please provide inputs for the following fields:/);
  assert.deepEqual(asked.elicit.at(-1).requestedSchema.required, ['name']);
  assert.equal(asked.elicit.at(-1).requestedSchema.properties.legacyTitledEnum.enumNames[1], 'Dogs');
  asked.reply = { action: 'decline' };
  assert.match(all(await c.call('trigger-elicitation-request')), /User declined/);
  assert.equal(asked.elicit.length, 2);

  assert.match(all(await c.call('trigger-sampling-request', { prompt: 'two cities', maxTokens: 50 })), /London and Paris/);
  assert.equal(asked.sample.length, 1);
  assert.equal(asked.sample[0].maxTokens, 50);
  assert.match(JSON.stringify(asked.sample[0].messages), /two cities/);

  await c.call('trigger-long-running-operation', { duration: 0.3, steps: 3 }, { onprogress: () => {} });
  assert.deepEqual(c.progress, [1, 2, 3]);

  await updated(c, 'demo://resource/dynamic/text/1', () => c.call('toggle-subscriber-updates'));
  await c.call('toggle-subscriber-updates');
  const read = await c.client.readResource({ uri: 'demo://resource/dynamic/text/7' });
  assert.match(read.contents[0].text, /7/);
  const prompt = await c.client.getPrompt({ name: 'args-prompt', arguments: { city: 'Zagreb' } });
  assert.match(prompt.messages[0].content.text, /Zagreb/);
}

async function memory(c) {
  const { tools } = await c.client.listTools();
  assert.equal(tools.length, 9, tools.map(tool => tool.name).join(' '));
  assert.deepEqual(tools.filter(tool => !tool.outputSchema).map(tool => tool.name), []);
  const name = `${kind} over ${transport}`;
  const entity = { name, entityType: 'test', observations: ['was here'] };
  await updated(c, 'memory://knowledge-graph', async () => {
    const made = await c.call('create_entities', { entities: [entity] });
    assert.deepEqual(made.structuredContent, { entities: [entity] });
  });
  const found = await c.call('open_nodes', { names: [name] });
  assert.deepEqual(found.structuredContent, { entities: [entity], relations: [] });
  assert.deepEqual(JSON.parse(text(found)), found.structuredContent);
  assert.match(await refusal(c.call('create_entities', { entities: [{ name: 7 }] })), /entities/);
}

async function context7(c) {
  assert.ok(c.client.getServerCapabilities().tools, JSON.stringify(c.client.getServerCapabilities()));
  assert.equal(c.client.getServerVersion().name, 'sallyport');
  if (c.modern) {
    assert.equal(c.client.getNegotiatedProtocolVersion(), MODERN);
    assert.ok(c.client.getDiscoverResult().supportedVersions.includes(MODERN));
  }
  const { tools } = await c.client.listTools();
  assert.deepEqual(tools.map(tool => tool.name).sort(), ['query-docs', 'resolve-library-id']);
  assert.deepEqual((await c.client.listPrompts()).prompts, []);
  assert.deepEqual((await c.client.listResources()).resources, []);
}

// The server-filesystem hole: this server replaces the folders of its command line by its client's roots.
async function roots(c, asked) {
  const { DOCUMENTS } = process.env;
  const check = async () => {
    const allowed = text(await c.call('list_allowed_directories'));
    assert.deepEqual(allowed.split('\n').slice(1), [DOCUMENTS], allowed);
    assert.match(await refusal(c.call('read_text_file', { path: '/etc/hostname' })), /Access denied - path outside allowed directories/);
    assert.match(text(await c.call('read_text_file', { path: `${DOCUMENTS}/note.txt` })), /a note of the operator/);
  };
  await c.client.listTools();
  await check();
  if (!c.modern) await c.client.sendRootsListChanged(); // asks the server to fetch them again
  await check();
  assert.equal(asked.roots, 0, 'the client was asked for its roots');
}

const asked = { elicit: [], sample: [], roots: 0, reply: { action: 'cancel' } };
const c = await open(kind, transport, {
  elicit: params => { asked.elicit.push(params); return asked.reply; },
  sample: params => { asked.sample.push(params); return { role: 'assistant', content: { type: 'text', text: 'London and Paris' }, model: 'none', stopReason: 'endTurn' }; },
  roots: () => { asked.roots++; return { roots: [{ uri: 'file:///etc', name: 'etc' }] }; },
});
await { everything, memory, context7, roots }[scenario](c, asked);
await c.close();
console.log('done');
