// The client behind the gateway in the suite's client mode: does with an SDK client what a scenario wants to see, so that
// the gateway, as the client of the suite's server, has to do it.   node drive.mjs v1|v2-legacy|v2-modern
// Environment: as kit.mjs, and the suite's MCP_CONFORMANCE_SCENARIO and MCP_CONFORMANCE_CONTEXT.
import assert from 'node:assert/strict';
import { open, refusal, text } from './kit.mjs';

const kind = process.argv[2];
const scenario = process.env.MCP_CONFORMANCE_SCENARIO;
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const names = async c => (await c.client.listTools()).tools.map(tool => tool.name);
const note = line => console.error(`drive: ${line}`);

// Null for what the schema calls a boolean is refused by the gateway's own check of arguments: as an error, or as a tool's
// own error. Leaving it out is the same to the scenario.
async function callAsGiven(c, { name, arguments: args }) {
  const without = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null));
  if (Object.keys(without).length === Object.keys(args).length) return c.call(name, args);
  note(`${name} with null was refused (${await refusal(c.call(name, args))}); again without it`);
  return c.call(name, without);
}

const scenarios = {
  'initialize': async c => { await names(c); },

  'tools_call': async c => {
    assert.deepEqual(await names(c), ['add_numbers']);
    assert.equal(text(await c.call('add_numbers', { a: 5, b: 3 })), 'The sum of 5 and 3 is 8');
  },

  'elicitation-sep1034-client-defaults': async c => {
    assert.deepEqual(await names(c), ['test_client_elicitation_defaults']);
    const said = text(await c.call('test_client_elicitation_defaults'));
    assert.match(said, /^Elicitation completed: /);
    assert.deepEqual(JSON.parse(said.replace(/^[^{]*/, '')), { name: 'John Doe', age: 30, score: 95.5, status: 'active', verified: true });
  },

  'sse-retry': async c => {
    assert.deepEqual(await names(c), ['test_reconnection']);
    assert.equal(text(await c.call('test_reconnection')), 'Reconnection test completed successfully');
  },

  'request-metadata': async c => { await names(c); },

  'http-standard-headers': async c => {
    assert.deepEqual((await names(c)).sort(), ['my-hyphenated-tool', 'test_headers']);
    for (const name of ['test_headers', 'my-hyphenated-tool']) assert.equal(text(await c.call(name)), 'Headers test completed');
    const { resources } = await c.client.listResources();
    assert.deepEqual(resources.map(r => r.uri).sort(), ['file:///path/to/file%20name.txt', 'https://example.com/resource?id=123']);
    for (const { uri } of resources) await c.client.readResource({ uri }).catch(error => note(`${uri}: ${error.message}`)); // the suite's contents are empty
    const { prompts } = await c.client.listPrompts();
    for (const { name } of prompts) await c.client.getPrompt({ name });
  },

  'http-custom-headers': async c => {
    await names(c);
    assert.ok(context.toolCalls.length >= 2, JSON.stringify(context));
    for (const call of context.toolCalls) assert.equal(text(await callAsGiven(c, call)), 'Custom headers test completed');
  },

  'http-invalid-tool-headers': async c => {
    assert.deepEqual(await names(c), ['valid_tool']);
    assert.equal(text(await c.call('valid_tool', { region: 'eu' })), 'Tool call received');
    for (const [name, args] of [['invalid_empty_header', { value: 'x' }], ['invalid_number_header', { score: 1 }], ['invalid_space_in_name', { value: 'x' }]]) {
      note(`${name}: ${await refusal(c.call(name, args))}`); // hidden is not enough: it must not be called by name either
    }
  },

  'sep-2322-client-request-state': async c => {
    await names(c);
    assert.equal(text(await c.call('test_mrtr_echo_state')), 'echo-state-ok');
    assert.equal(unrelated, 'unrelated-ok'); // called while the first call waited for its answer
    assert.equal(text(await c.call('test_mrtr_no_state')), 'no-state-ok');
    assert.equal(text(await c.call('test_mrtr_no_result_type')), 'no-result-type-test-ok');
  },

  'json-schema-ref-no-deref': async c => {
    await names(c);
    await c.call('lookup_user', { id: 'a-1', profile: { displayName: 'x' } }).catch(error => note(error.message)); // either way nothing is fetched
  },

  'json-schema-2020-12-preservation': async c => {
    const { tools } = await c.client.listTools();
    const focal = tools.find(tool => tool.name === 'json_schema_2020_12_tool');
    assert.equal(text(await c.call('json_schema_echo', { schema: focal.inputSchema })), 'echoed');
  },
};

let unrelated = null;
let client;
const answers = {
  elicit: async () => {
    if (scenario !== 'sep-2322-client-request-state') return { action: 'accept', content: {} };
    unrelated ??= text(await client.call('test_mrtr_unrelated'));
    return { action: 'accept', content: { confirmed: true } };
  },
  sample: () => ({ role: 'assistant', content: { type: 'text', text: 'Paris' }, model: 'none', stopReason: 'endTurn' }),
};

if (!scenarios[scenario]) throw new Error(`no way is written to drive the scenario ${scenario}`);
client = await open(kind, 'http', answers);
await scenarios[scenario](client);
await client.close();
console.log(`drive: ${scenario} done`);
