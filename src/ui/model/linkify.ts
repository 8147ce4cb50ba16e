export type TextSegment = { text: string; href?: string };

const urlPattern = /https?:\/\/[^\s<>"]+/gi;

/**
 * Splits a message's text at its web addresses. Only http and https become links: what somebody else wrote
 * must never run.
 */
export function linkify(text: string): TextSegment[] {
  const segments: TextSegment[] = [];
  let end = 0;
  for (const match of text.matchAll(urlPattern)) {
    const url = withoutTrailingPunctuation(match[0]);
    if (!isWebAddress(url)) continue;
    if (match.index > end) segments.push({ text: text.slice(end, match.index) });
    segments.push({ text: url, href: url });
    end = match.index + url.length;
  }
  if (end < text.length) segments.push({ text: text.slice(end) });
  return segments;
}

/** A full stop after an address ends the sentence; a closing bracket belongs to it only when it opened there. */
function withoutTrailingPunctuation(url: string): string {
  let result = url.replace(/[.,:;!?'*_]+$/, "");
  while (/[)\]]$/.test(result) && !isBalanced(result)) {
    result = result.slice(0, -1).replace(/[.,:;!?'*_]+$/, "");
  }
  return result;
}

function isBalanced(text: string): boolean {
  const count = (character: string) => text.split(character).length - 1;
  return count("(") >= count(")") && count("[") >= count("]");
}

function isWebAddress(url: string): boolean {
  return URL.canParse(url) && new URL(url).hostname !== "";
}
