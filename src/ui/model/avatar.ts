/** One or two letters that stand for a name: `Anna Karenina` is AK, `bob` is B. */
export function initials(name: string): string {
  const words = name
    .replace(/^[@#!]/, "")
    .split(/[\s._-]+/)
    .filter((word) => /[\p{L}\p{N}\p{Emoji}]/u.test(word));
  const first = firstGrapheme(words[0] ?? "?");
  const last = words.length > 1 ? firstGrapheme(words[words.length - 1] ?? "") : "";
  return (first + last).toUpperCase();
}

/** The same colour for the same id everywhere: a hue in degrees, one of twelve that differ to the eye. */
export function hueOf(id: string): number {
  let hash = 7;
  for (let index = 0; index < id.length; index++) hash = (Math.imul(hash, 33) ^ id.charCodeAt(index)) >>> 0;
  return (hash % 12) * 30 + 15;
}

/** Family emoji and flags are several code points, but one letter to their owner. */
function firstGrapheme(word: string): string {
  const [first] = new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(word);
  return first?.segment ?? "";
}
