/**
 * The name under which something is kept in this origin's web storage. It carries the page's folder: two
 * folders of one origin are two homeservers, which must not meet in each other's accounts.
 */
export function storageKey(name: string): string {
  return `hearth:${new URL("./", document.baseURI).pathname}:${name}`;
}
