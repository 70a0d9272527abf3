// Judges a document of OpenAPI 3.1 and answers of its API, by other people's validators.
//   stdin: {document, answers: [{where, schema, message}]}; stdout: a JSON array of what is wrong, empty when nothing is
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv2020 from 'ajv/dist/2020.js';

let text = '';
for await (const piece of process.stdin) text += piece;
const { document, answers } = JSON.parse(text);
const wrong = [];
const judged = await new Validator().validate(structuredClone(document));
if (!judged.valid) wrong.push({ where: 'the document', errors: judged.errors });
const ajv = new Ajv2020({ strict: false });
ajv.addSchema({ $id: 'doc', components: document.components });
const compiled = new Map();
for (const { where, schema, message } of answers) {
  const own = JSON.stringify(schema).replaceAll('"#/components', '"doc#/components');
  if (!compiled.has(own)) compiled.set(own, ajv.compile(JSON.parse(own)));
  const validate = compiled.get(own);
  if (!validate(message)) wrong.push({ where, errors: validate.errors, message });
}
console.log(JSON.stringify(wrong));
