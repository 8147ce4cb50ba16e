/**
 * Whether `text` matches a pattern in which `*` stands for any sequence of characters, also an empty one. There
 * are no other wildcards and no escapes. Takes time in proportion to the lengths, whatever the pattern: it comes
 * from clients.
 */
export function matchesWildcards(pattern: string, text: string): boolean {
  const [head = "", ...rest] = pattern.split("*");
  const tail = rest.pop();
  if (tail === undefined) return pattern === text;
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  const end = text.length - tail.length;
  let at = head.length;
  // The leftmost place of each part leaves the most room for those after it.
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
