/** Bytes `from` to `to`, the latter not included. */
export type ByteRange = { from: number; to: number };

/**
 * What a `Range` header asks for.
 * @param size - of the whole
 * @returns "whole" where there is no such header, or one that may be passed over: of another unit, malformed, or with
 *   several ranges; "none" where no byte is in it
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-14.2
 */
export function byteRange(header: string | null, size: number): ByteRange | "whole" | "none" {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec((header ?? "").replace(/\s/g, ""));
  const [first = "", last = ""] = match?.slice(1) ?? [];
  if (first === "" && last === "") return "whole";
  if (first === "") {
    const from = Math.max(0, size - Number(last));
    return from < size ? { from, to: size } : "none";
  }
  const from = Number(first);
  const to = last === "" ? size : Math.min(Number(last) + 1, size);
  if (last !== "" && Number(last) < from) return "whole";
  return from < size ? { from, to } : "none";
}
