// Loaded before everything else: sockets reach this machine only. What was refused is written down,
// so that a test can say what a client would have called. The CLI of Continue, for one, asks its
// maker for a newer version and sends an identifier of the machine along.

const { appendFileSync } = require("node:fs");
const { Socket } = require("node:net");

const OURS = new Set(["127.0.0.1", "::1", "localhost"]);
const { connect } = Socket.prototype;

Socket.prototype.connect = function (...given) {
  // Node.js itself passes one list that holds the options.
  const [first, second] = Array.isArray(given[0]) ? given[0] : given;
  const host = typeof first === "object" ? first.host : second;
  const isOurs = typeof host !== "string" || OURS.has(host) || Boolean(first.path);
  if (isOurs) return connect.apply(this, given);
  appendFileSync(process.env.REFUSED, host + "\n");
  process.nextTick(() => this.destroy(new Error(`${host} is not this machine`)));
  return this;
};
