import { Parser } from "htmlparser2";
import type { ClientApi } from "../../../src/sw/door.ts";

type Fields = Record<string, string>;
/** `buttons`: what each sends when it is clicked, by its text. */
type Form = { action: string; fields: Fields; buttons: Map<string, Fields> };

export type Shown = {
  url: string;
  status: number;
  headers: Headers;
  source: string;
  /** What is there to be read. */
  text: string;
  forms: Form[];
  /** Addresses by text. */
  links: Map<string, string>;
  /** Each tag with its attributes, as `a href target`. */
  tags: Set<string>;
};

export type Browser = {
  open: (url: string) => Promise<Shown>;
  /** Fills a form that has such a button, and clicks it. */
  click: (shown: Shown, button: string, fields?: Fields) => Promise<Shown>;
};

/** A browser that knows links and forms. */
export function browsing(api: ClientApi): Browser {
  const load = async (request: Request): Promise<Shown> => {
    const response = await api(request, { source: "own" });
    const { status, headers } = response;
    return { url: request.url, status, headers, ...read(await response.text()) };
  };
  return {
    open: (url) => load(new Request(url)),
    click: ({ url, forms }, button, fields = {}) => {
      const form = forms.find(({ buttons }) => buttons.has(button));
      if (form === undefined) throw new Error(`there is no button ${button} at ${url}`);
      for (const name of Object.keys(fields)) {
        if (form.fields[name] === undefined) throw new Error(`there is no field ${name} at ${url}`);
      }
      const body = new URLSearchParams({ ...form.fields, ...fields, ...form.buttons.get(button) });
      return load(new Request(new URL(form.action, url), { method: "POST", body }));
    },
  };
}

function read(source: string): Omit<Shown, "url" | "status" | "headers"> {
  const shown = {
    source,
    text: "",
    forms: [] as Form[],
    links: new Map<string, string>(),
    tags: new Set<string>(),
  };
  let words = "";
  let open: Fields = {};
  const parser = new Parser({
    onopentag: (name, attributes) => {
      shown.tags.add([name, ...Object.keys(attributes).sort()].join(" "));
      if (name === "form")
        shown.forms.push({ action: attributes.action ?? "", fields: {}, buttons: new Map() });
      const form = shown.forms.at(-1);
      // A box that is not ticked sends nothing.
      if (name === "input" && attributes.type !== "checkbox")
        form!.fields[attributes.name!] = attributes.value ?? "";
      if (name === "button" || name === "a") [words, open] = ["", attributes];
    },
    ontext: (text) => {
      words += text;
      shown.text += text;
    },
    onclosetag: (name) => {
      const { name: field, value, href } = open;
      if (name === "button")
        shown.forms.at(-1)!.buttons.set(words, field === undefined ? {} : { [field]: value! });
      if (name === "a") shown.links.set(words, href!);
    },
  });
  parser.end(source);
  return shown;
}
