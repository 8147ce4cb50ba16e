/**
 * Where a relay has a homeserver for clients, which it knows by the host that they ask.
 * @param {string} relay - origin
 * @param {string} serverName
 * @returns {string[]} one, without a slash at its end; none where the name has another port than the relay
 */
export function addressesAt(relay, serverName) {
  const { protocol, hostname, port } = new URL(relay);
  const [, host = "", ownPort] = /^(.*?)(?::(\d+))?$/.exec(serverName) ?? [];
  const realPort = port || (protocol === "https:" ? "443" : "80");
  // Below the relay's own name, and for keys, the port does not matter to it.
  const isKey = /^[a-z2-7]{52}(\.|$)/.test(host);
  if (ownPort !== undefined && ownPort !== realPort && !isKey) return [];
  const isHere = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);
  // A key alone leads nowhere, but on this machine, where all names below localhost do.
  const found = isHere && isKey && !host.includes(".") ? `${host}.localhost` : host;
  return [`${protocol}//${found}${port && `:${port}`}`];
}
