// preload, as loopback.mjs, for programs that ask for their port in the same breath: every TCP listener that names no host
// is bound to 127.0.0.1 at once. A host given to listen() would be looked up first, and address() be null until then.
import net from 'node:net';
const { TCP, constants } = process.binding('tcp_wrap');
const orig = net.Server.prototype.listen;
net.Server.prototype.listen = function (...args) {
  const [first, ...rest] = args;
  const numbered = /^\d+$/.test(String(first)) && typeof rest[0] !== 'string';
  if (!numbered) return orig.apply(this, args);
  const handle = new TCP(constants.SERVER);
  const failed = handle.bind('127.0.0.1', Number(first));
  if (failed) throw new Error(`127.0.0.1:${first} cannot be bound (${failed})`);
  return orig.call(this, handle, ...rest.filter(arg => typeof arg === 'function'));
};
