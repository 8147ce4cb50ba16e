import { Parser } from "htmlparser2";

/** What a page says of itself. */
export type PageSummary = {
  /** `og:` properties, but for those of its image. */
  properties: Record<string, string>;
  /** An address, as the page has it. */
  image: string | undefined;
  /** What such addresses are relative to, where the page says so. */
  base: string | undefined;
};

const longestValue = 1_000;
const mostProperties = 40;
/** A property's name that a page may choose. */
const propertyName = /^og:[a-z0-9_:]{1,60}$/;

/**
 * Reads OpenGraph properties; where they lack, what else a page has for title, description and image. The first of
 * several counts.
 * @see https://ogp.me/
 */
export function summarisePage(html: string): PageSummary {
  const found = new Map<string, string>();
  const note = (name: string, value: string | undefined) => {
    const text = value?.replace(/\s+/g, " ").trim().slice(0, longestValue);
    if (text && !found.has(name)) found.set(name, text);
  };
  let reading: { name: "title" | "h1"; text: string } | undefined;
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (name === "meta") {
          const key = attributes.property ?? attributes.name ?? attributes.itemprop ?? "";
          note(key.trim().toLowerCase(), attributes.content);
        } else if (name === "base") note("base", attributes.href);
        else if (name === "link") {
          if (attributes.rel?.toLowerCase() === "image_src") note("image_src", attributes.href);
        } else if ((name === "title" || name === "h1") && !found.has(name)) reading = { name, text: "" };
      },
      ontext(text) {
        if (reading !== undefined && reading.text.length < longestValue) reading.text += text;
      },
      onclosetag(name) {
        if (reading?.name !== name) return;
        note(name, reading.text);
        reading = undefined;
      },
    },
    { decodeEntities: true, lowerCaseTags: true, lowerCaseAttributeNames: true },
  );
  parser.end(html);
  return {
    properties: propertiesOf(found),
    image: first(
      found,
      "og:image:secure_url",
      "og:image",
      "og:image:url",
      "twitter:image",
      "image_src",
      "image",
    ),
    base: found.get("base"),
  };
}

function propertiesOf(found: ReadonlyMap<string, string>): Record<string, string> {
  const properties = new Map<string, string>();
  const title = first(found, "og:title", "twitter:title", "title", "h1");
  const description = first(found, "og:description", "twitter:description", "description");
  if (title !== undefined) properties.set("og:title", title);
  if (description !== undefined) properties.set("og:description", description);
  for (const [name, value] of found) {
    if (properties.size === mostProperties) break;
    if (propertyName.test(name) && !/^og:image(:|$)/.test(name)) properties.set(name, value);
  }
  return Object.fromEntries(properties);
}

function first(found: ReadonlyMap<string, string>, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = found.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}
