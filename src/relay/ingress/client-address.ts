/**
 * Who asks: the peer, or whom a proxy that is trusted says it asks for. Each proxy adds whom it was asked by at the end;
 * what stands before the first stranger is that stranger's own tale.
 * @param peer - the address of the connection
 */
export function clientAddress(
  headers: Headers,
  peer: string,
  isTrustedProxy: (address: string) => boolean,
): string {
  const hops = (headers.get("x-forwarded-for") ?? "").split(",").map((hop) => hop.trim());
  let address = peer;
  while (isTrustedProxy(address)) {
    const before = hops.pop();
    // Not an address: the proxy has written something else, and what is known ends with it.
    if (before === undefined || !/^[0-9A-Fa-f.:]{2,45}$/.test(before)) break;
    address = before;
  }
  return address;
}
