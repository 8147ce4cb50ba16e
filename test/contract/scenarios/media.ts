import { expect } from "vitest";
import { type Person, part, type World } from "../support/person.ts";
import type { Scenario } from "../support/scenario.ts";

/** One grey pixel. */
const png = Uint8Array.from(
  atob("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="),
  (letter) => letter.charCodeAt(0),
);

/** Where a file that somebody uploads is found: the two parts of its `mxc://` address. */
async function uploaded({ send }: World, alice: Person, body: BodyInit, type = "text/plain") {
  const headers = { "Content-Type": type };
  const sent = { method: "POST", path: "/_matrix/media/v3/upload", token: alice.token, headers, body };
  const answer = await send(sent);
  if (answer.status !== 200) throw new Error(`upload: ${answer.status} ${answer.text}`);
  return addressOf(answer.body.content_uri);
}

function addressOf(uri: unknown): { serverName: string; mediaId: string } {
  const [, serverName, mediaId] = /^mxc:\/\/([^/]+)\/([^/]+)$/.exec(String(uri)) ?? [];
  if (serverName === undefined || mediaId === undefined) throw new Error(`not an address: ${String(uri)}`);
  return { serverName, mediaId };
}

const textOf = async (
  { send }: World,
  alice: Person,
  { serverName, mediaId }: ReturnType<typeof addressOf>,
) =>
  (
    await send({
      method: "GET",
      path: `/_matrix/client/v1/media/download/${part(serverName)}/${part(mediaId)}`,
      token: alice.token,
    })
  ).text;

/** By the paths of today, and by those from before, which are frozen: they have nothing for whoever shows no token. */
const reading = (prefix: string, suffix: string, frozen?: Pick<Scenario, "auth">): Scenario[] => [
  {
    operation: `getContent${suffix}`,
    route: `GET ${prefix}/download/{serverName}/{mediaId}` as Scenario["route"],
    ...frozen,
    ignores: ["timeout_ms", "allow_remote", "allow_redirect"],
    prepare: async (world) => {
      const alice = await world.person();
      return {
        as: alice,
        params: await uploaded(world, alice, "a letter"),
        check: ({ text, headers }) => {
          expect(text).toBe("a letter");
          expect(headers.get("Content-Type")).toMatch(/^text\/plain/);
        },
      };
    },
  },
  {
    operation: `getContentOverrideName${suffix}`,
    route: `GET ${prefix}/download/{serverName}/{mediaId}/{fileName}` as Scenario["route"],
    ...frozen,
    ignores: ["timeout_ms", "allow_remote", "allow_redirect"],
    prepare: async (world) => {
      const alice = await world.person();
      return {
        as: alice,
        params: { ...(await uploaded(world, alice, "a letter")), fileName: "letter.txt" },
        check: ({ text, headers }) => {
          expect(text).toBe("a letter");
          expect(headers.get("Content-Disposition")).toContain("letter.txt");
        },
      };
    },
  },
  {
    operation: `getContentThumbnail${suffix}`,
    route: `GET ${prefix}/thumbnail/{serverName}/{mediaId}` as Scenario["route"],
    ...frozen,
    ignores: ["timeout_ms", "allow_remote", "allow_redirect"],
    prepare: async (world) => {
      const alice = await world.person();
      return {
        as: alice,
        params: await uploaded(world, alice, png, "image/png"),
        query: { width: "32", height: "32", method: "scale" },
        check: ({ headers }) => expect(headers.get("Content-Type")).toMatch(/^image\//),
      };
    },
  },
];

const settings = (prefix: string, suffix: string): Scenario[] => [
  {
    operation: `getConfig${suffix}`,
    route: `GET ${prefix}/config` as Scenario["route"],
    prepare: async ({ person }) => ({
      as: await person(),
      check: ({ body }) => expect(body["m.upload.size"]).toBeGreaterThan(0),
    }),
  },
  {
    operation: `getUrlPreview${suffix}`,
    route: `GET ${prefix}/preview_url` as Scenario["route"],
    // The address is one of this machine, which must not be asked on anybody's behalf.
    expected: { status: 403, errcode: "M_FORBIDDEN" },
    prepare: async ({ person }) => ({
      as: await person(),
      query: { url: "http://127.0.0.1/secret" },
    }),
  },
];

export const mediaScenarios: Scenario[] = [
  {
    operation: "uploadContent",
    route: "POST /_matrix/media/v3/upload",
    prepare: async (world) => {
      const alice = await world.person();
      return {
        as: alice,
        query: { filename: "note.txt" },
        headers: { "Content-Type": "text/plain" },
        body: "a note",
        check: async ({ body }) =>
          expect(await textOf(world, alice, addressOf(body.content_uri))).toBe("a note"),
      };
    },
  },
  {
    operation: "createContent",
    route: "POST /_matrix/media/v1/create",
    prepare: async ({ person, serverName }) => ({
      as: await person(),
      check: ({ body }) => expect(addressOf(body.content_uri).serverName).toBe(serverName),
    }),
  },
  {
    operation: "uploadContentToMXC",
    route: "PUT /_matrix/media/v3/upload/{serverName}/{mediaId}",
    prepare: async (world) => {
      const alice = await world.person();
      const address = addressOf((await alice.post("/_matrix/media/v1/create")).content_uri);
      return {
        as: alice,
        params: address,
        query: { filename: "later.txt" },
        headers: { "Content-Type": "text/plain" },
        body: "for later",
        check: async () => expect(await textOf(world, alice, address)).toBe("for later"),
      };
    },
  },
  ...reading("/_matrix/client/v1/media", "Authed"),
  ...reading("/_matrix/media/v3", "", { auth: "optional" }),
  {
    operation: "getContent",
    title: "without a token",
    route: "GET /_matrix/media/v3/download/{serverName}/{mediaId}",
    expected: { status: 404, errcode: "M_NOT_FOUND" },
    prepare: async (world) => ({ params: await uploaded(world, await world.person(), "a letter") }),
  },
  ...settings("/_matrix/client/v1/media", "Authed"),
  ...settings("/_matrix/media/v3", ""),
];
