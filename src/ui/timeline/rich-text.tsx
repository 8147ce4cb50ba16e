import { linkify } from "../model/linkify.ts";

/** Text with its web addresses as links. */
export function RichText({ text }: { text: string }) {
  return linkify(text).map((segment, index) =>
    segment.href === undefined ? (
      segment.text
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the same address may stand in a text twice
      <a key={index} href={segment.href} target="_blank" rel="noopener noreferrer nofollow">
        {segment.text}
      </a>
    ),
  );
}
