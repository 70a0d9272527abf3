// Seals a secret to the gateway's public key before it is sent (docs/vault.md, "Key exchange"): WebCrypto alone, so seal() runs in
// browsers, Node, Deno and workers as it stands.
//
//   const key = await (await fetch("/api/v1/vault/exchange-key")).json();
//   const sealed = await seal(key, "vault:github-token", secret);
//   await fetch("/api/v1/vault/secrets/github-token", {method: "PUT", body: JSON.stringify({sealed}), headers: ...});

const bytes = (text) => new TextEncoder().encode(text);

function base64url(data) {
  let text = "";
  for (const byte of new Uint8Array(data)) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromPem(pem) {
  const text = atob(pem.replace(/-----[^-]+-----/g, "").replace(/\s+/g, ""));
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

// `key`: what GET /vault/exchange-key answers. `subject`: "vault:NAME", or "vault:user:ID/NAME" for a secret of one's own. `value`: a
// string. The result is a JWE in compact form (RFC 7516 7.1).
export async function seal(key, subject, value) {
  const { subtle } = globalThis.crypto;
  const header = base64url(bytes(`{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"${key.kid}","sub":"${subject}"}`));
  const to = await subtle.importKey("spki", fromPem(key.public_key), { name: "RSA-OAEP", hash: "SHA-256" }, false, ["wrapKey"]);
  const dataKey = await subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]);
  const wrapped = await subtle.wrapKey("raw", dataKey, to, { name: "RSA-OAEP" });
  const iv = globalThis.crypto.getRandomValues(new Uint8Array(12));
  const how = { name: "AES-GCM", iv, additionalData: bytes(header), tagLength: 128 };
  const sealed = new Uint8Array(await subtle.encrypt(how, dataKey, bytes(value)));
  const cut = sealed.length - 16;
  return [header, base64url(wrapped), base64url(iv), base64url(sealed.slice(0, cut)), base64url(sealed.slice(cut))].join(".");
}

// node seal.mjs SUBJECT < {"key": ..., "value": ...}: the envelope on stdout. The value comes from stdin, never from an argument.
const isMain = typeof process !== "undefined" && process.argv?.[1] && import.meta.url.endsWith(process.argv[1].split("/").pop());
if (isMain) {
  let input = "";
  for await (const chunk of process.stdin) input += chunk;
  const { key, value } = JSON.parse(input);
  console.log(await seal(key, process.argv[2], value));
}
