// A second implementation of what docs/vault.md says of keys/keyring and of sealed values, by Node's crypto alone. One JSON order on stdin:
//   {"keyring": base64, "source": "file" | "environment" | "password", "secret": base64, "rows": [{"secret", "number", "wrapped_key", "ciphertext"}]}
// answers {"keys": [{"id", "made"}], "rows": [{"value", "data_key"}]}. With "older": DAYS: {"keyring": base64}, the same keyring with its keys made
// so many days earlier. With "index": text of certs/index.sealed: {"index": text}, the same index with the renewal of what it holds due.
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes, scryptSync } from "node:crypto";
import { readFileSync } from "node:fs";

const NONCE = 12, TAG = 16;

function number(value) {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(value));
  return out;
}

const bound = (...fields) => Buffer.concat(fields.flatMap((field) => [number(Buffer.byteLength(field)), Buffer.from(field)]));

function open(key, sealed, additional) {
  const cipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE), { authTagLength: TAG });
  cipher.setAAD(additional);
  cipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  return Buffer.concat([cipher.update(sealed.subarray(NONCE, sealed.length - TAG)), cipher.final()]);
}

function seal(key, plain, additional) {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG });
  cipher.setAAD(additional);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

const derive = (secret, salt, label) => Buffer.from(hkdfSync("sha256", secret, salt, label, 32));

function sourceBytes(order, head) {
  const secret = Buffer.from(order.secret, "base64");
  if (order.source !== "password") return secret;
  const [, ln, r, p, salt] = /\nunseal password \$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$(\S+)\n/.exec(head);
  return scryptSync(secret, Buffer.from(salt, "base64url"), 32, { N: 2 ** Number(ln), r: Number(r), p: Number(p), maxmem: 2 ** 29 });
}

function openKeyring(order) {
  const bytes = Buffer.from(order.keyring, "base64");
  const end = bytes.indexOf("\n\n") + 2;
  const head = bytes.subarray(0, end);
  const key = derive(sourceBytes(order, head.toString()), Buffer.alloc(0), "sallyport/1/unseal-" + order.source);
  return { head, key, body: open(key, bytes.subarray(end), head) };
}

function keysOf(body) {
  const count = Number(body.readBigUInt64BE(32));
  return Array.from({ length: count }, (_, i) => {
    const at = 40 + 56 * i;
    return { id: Number(body.readBigUInt64BE(at)), made: Number(body.readBigUInt64BE(at + 8)), key: body.subarray(at + 24, at + 56), at };
  });
}

function openRow(keys, row) {
  const place = bound("vault_versions", row.secret, "ciphertext", number(row.number));
  const wrapped = Buffer.from(row.wrapped_key, "base64url");
  const header = /^spw1\.HKDF-SHA256\+A256GCM\.(\d+)\./.exec(wrapped.toString("latin1"));
  const kek = keys.find((one) => one.id === Number(header[1])).key;
  const rest = wrapped.subarray(header[0].length);
  const dataKey = open(derive(kek, rest.subarray(0, 16), "sallyport/1/wrap"), rest.subarray(16), bound(header[0], place));
  const ciphertext = Buffer.from(row.ciphertext, "base64url");
  const name = "sps1.A256GCM.";
  if (!ciphertext.toString("latin1").startsWith(name)) throw new Error("another algorithm");
  const value = open(dataKey, ciphertext.subarray(name.length), bound(name, place));
  return { value: value.toString(), data_key: createHash("sha256").update(dataKey).digest("hex") };
}

function due(root, sealed) {
  const key = derive(root, Buffer.alloc(0), "sallyport/1/certificates");
  const [header, text] = sealed.split("\n"), context = Buffer.from("sallyport certificates index.sealed");
  const index = JSON.parse(open(key, Buffer.from(text, "base64url"), context).toString());
  for (const one of index.issued) if (one.kind === "server") one.renew_at = one.issued_at;
  return { index: header + "\n" + seal(key, JSON.stringify(index), context).toString("base64url") + "\n" };
}

function run(order) {
  const { head, key, body } = openKeyring(order);
  if (order.index) return due(body.subarray(0, 32), order.index);
  const keys = keysOf(body);
  if (!order.older) return { keys: keys.map(({ id, made }) => ({ id, made })), rows: order.rows.map((row) => openRow(keys, row)) };
  for (const { made, at } of keys) number(made - order.older * 86400e6).copy(body, at + 8);
  return { keyring: Buffer.concat([head, seal(key, body, head)]).toString("base64") };
}

console.log(JSON.stringify(run(JSON.parse(readFileSync(0, "utf8")))));
