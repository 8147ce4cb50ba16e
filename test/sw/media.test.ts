import { describe, expect, test, vi } from "vitest";
import { createClientApi } from "../../src/sw/door.ts";
import { type Caller, unlimited } from "../../src/sw/limits.ts";
import { loginEndpoints } from "../../src/sw/login.ts";
import { mediaEndpoints } from "../../src/sw/media.ts";
import { testNode } from "../worker-roomserver/support/node.ts";
import { dummy } from "../worker-roomserver/support/users.ts";

const page: Caller = { source: "own", page: "page-1" };

type Options = {
  token?: string;
  caller?: Caller;
  headers?: Record<string, string>;
  body?: BodyInit;
  destination?: string;
};

/** A homeserver with one account, and whoever asks it. */
async function homeserver() {
  const node = await testNode();
  const body = { username: "alice", password: "correct horse battery", auth: dummy };
  const { access_token: token } = (await node.users.register("r", "user", body)) as { access_token: string };
  /** A service worker; a new one knows nothing of what was before. */
  const serviceWorker = () => {
    const endpoints = [...mediaEndpoints, ...loginEndpoints];
    const api = createClientApi({ node, endpoints, limiter: unlimited, scopePath: "/" });
    return async (method: string, path: string, options: Options = {}) => {
      const request = new Request(`https://home.example/_matrix/${path}`, {
        method,
        headers: { ...options.headers, ...(options.token && { Authorization: `Bearer ${options.token}` }) },
        ...(options.body !== undefined && { body: options.body }),
      });
      if (options.destination) Object.defineProperty(request, "destination", { value: options.destination });
      return api(request, options.caller ?? { source: "own" });
    };
  };
  const ask = serviceWorker();
  const binds = vi.spyOn(node.users, "bindPage");
  /** Shows the token, and waits until the homeserver has stored whose page it is. */
  const show = async (caller: Caller) => {
    expect((await ask("GET", "client/v1/media/config", { token, caller })).status).toBe(200);
    await Promise.all(binds.mock.results.map(({ value }) => value as Promise<void>));
  };
  const upload = async (content: BlobPart, type: string, filename = "") => {
    const query = filename === "" ? "" : `?filename=${encodeURIComponent(filename)}`;
    const answer = await ask("POST", `media/v3/upload${query}`, {
      token,
      body: new Blob([content], { type }),
    });
    expect(answer.status).toBe(200);
    const { content_uri } = (await answer.json()) as { content_uri: string };
    return content_uri.slice("mxc://".length);
  };
  return { node, token, ask, serviceWorker, show, binds, upload };
}

const errcodeOf = async (answer: Response) => [
  answer.status,
  ((await answer.json()) as { errcode: string }).errcode,
];

describe("media is served", () => {
  test("as what it was uploaded as, in a sandbox", async () => {
    const { ask, token, upload } = await homeserver();
    const at = await upload("hello", "text/plain;charset=utf-8", "naïve.txt");
    const answer = await ask("GET", `client/v1/media/download/${at}`, { token });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe("hello");
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "text/plain;charset=utf-8",
      "content-disposition": `inline; filename="na_ve.txt"; filename*=UTF-8''na%C3%AFve.txt`,
      "content-length": "5",
      "content-security-policy": expect.stringMatching(/^sandbox; default-src 'none'; script-src 'none';/),
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "cross-origin",
      "access-control-allow-origin": "*",
      "accept-ranges": "bytes",
      "cache-control": expect.stringMatching(/^private/),
    });
  });

  test.each([
    "text/html",
    "image/svg+xml",
    "text/javascript",
    "application/xhtml+xml",
    "application/pdf",
    "",
  ])("%j never in place", async (type) => {
    const { ask, token, upload } = await homeserver();
    const at = await upload("<script>alert(1)</script>", type);
    const answer = await ask("GET", `client/v1/media/download/${at}`, { token });
    expect(answer.headers.get("Content-Disposition")).toBe("attachment");
    expect(answer.headers.get("Content-Type")).toBe(type || "application/octet-stream");
  });

  test.each([
    ["script", 403],
    ["worker", 403],
    ["serviceworker", 403],
    ["sharedworker", 403],
    ["style", 403],
    ["manifest", 403],
    ["image", 200],
    ["video", 200],
    ["iframe", 200],
  ])("to a page that wants a %s: %d", async (destination, status) => {
    const { ask, token, upload } = await homeserver();
    const at = await upload("alert(1)", "text/javascript");
    const answer = await ask("GET", `client/v1/media/download/${at}`, { token, destination });
    expect(answer.status).toBe(status);
  });

  test("under another name where one is given", async () => {
    const { ask, token, upload } = await homeserver();
    const at = await upload("x", "image/png", "a.png");
    const answer = await ask("GET", `client/v1/media/download/${at}/b%2F%22c.png`, { token });
    expect(answer.headers.get("Content-Disposition")).toBe(
      `inline; filename="b/_c.png"; filename*=UTF-8''b%2F%22c.png`,
    );
  });

  test("in parts", async () => {
    const { ask, token, upload } = await homeserver();
    const path = `client/v1/media/download/${await upload("0123456789", "video/mp4")}`;
    const part = async (headers: Record<string, string>, method = "GET") => {
      const answer = await ask(method, path, { token, headers });
      const range = answer.headers.get("Content-Range");
      return [answer.status, await answer.text(), range, answer.headers.get("Content-Length")];
    };
    expect(await part({ Range: "bytes=2-4" })).toEqual([206, "234", "bytes 2-4/10", "3"]);
    expect(await part({ Range: "bytes=7-" })).toEqual([206, "789", "bytes 7-9/10", "3"]);
    expect(await part({ Range: "bytes=10-" })).toEqual([416, "", "bytes */10", null]);
    expect(await part({ Range: "bytes=0-1,3-4" })).toEqual([200, "0123456789", null, "10"]);
    expect(await part({ Range: "bytes=2-4" }, "HEAD")).toEqual([206, "", "bytes 2-4/10", "3"]);
    expect(await part({}, "HEAD")).toEqual([200, "", null, "10"]);
    const etag = (await ask("GET", path, { token })).headers.get("ETag")!;
    expect(await part({ Range: "bytes=2-4", "If-Range": etag })).toEqual([206, "234", "bytes 2-4/10", "3"]);
    expect(await part({ Range: "bytes=2-4", "If-Range": '"x"' })).toEqual([200, "0123456789", null, "10"]);
    expect((await part({ "If-None-Match": `"x", W/${etag}` })).slice(0, 2)).toEqual([304, ""]);
  });

  test("to whoever has a session, on the paths of old too", async () => {
    const { ask, token, upload } = await homeserver();
    const at = await upload("x", "text/plain");
    for (const path of ["media/v3", "media/r0", "media/v1", "client/v1/media"]) {
      expect((await ask("GET", `${path}/download/${at}`, { token })).status).toBe(200);
      expect((await ask("GET", `${path}/config`, { token })).status).toBe(200);
      expect(await errcodeOf(await ask("GET", `${path}/config`))).toEqual([401, "M_MISSING_TOKEN"]);
      expect(
        await errcodeOf(await ask("GET", `${path}/thumbnail/${at}?width=1&height=1`, { token })),
      ).toEqual([400, "M_UNKNOWN"]);
      const stranger = await errcodeOf(await ask("GET", `${path}/download/${at}`));
      expect(stranger).toEqual(path === "client/v1/media" ? [401, "M_MISSING_TOKEN"] : [404, "M_NOT_FOUND"]);
      const impostor = await errcodeOf(await ask("GET", `${path}/download/${at}`, { token: "x" }));
      expect(impostor).toEqual([401, "M_UNKNOWN_TOKEN"]);
    }
  });

  test("later, where it was created first", async () => {
    const { ask, token } = await homeserver();
    const created = (await (await ask("POST", "media/v1/create", { token })).json()) as {
      content_uri: string;
      unused_expires_at: number;
    };
    expect(created.unused_expires_at).toBeGreaterThan(Date.now());
    const at = created.content_uri.slice("mxc://".length);
    const early = await ask("GET", `client/v1/media/download/${at}?timeout_ms=0`, { token });
    expect(await errcodeOf(early)).toEqual([504, "M_NOT_YET_UPLOADED"]);
    const put = () => ask("PUT", `media/v3/upload/${at}`, { token, body: "late" });
    expect(await (await put()).json()).toEqual({});
    expect(await errcodeOf(await put())).toEqual([409, "M_CANNOT_OVERWRITE_MEDIA"]);
    expect(await (await ask("GET", `client/v1/media/download/${at}`, { token })).text()).toBe("late");
  });

  test.each([
    ["thumbnail/a/b?width=1", "M_MISSING_PARAM"],
    ["thumbnail/a/b?width=0&height=1", "M_INVALID_PARAM"],
    ["thumbnail/a/b?width=-1&height=1", "M_INVALID_PARAM"],
    ["thumbnail/a/b?width=1.5&height=1", "M_INVALID_PARAM"],
    ["thumbnail/a/b?width=1&height=1&method=fit", "M_INVALID_PARAM"],
    ["download/a%2F..%2Fb/c", "M_INVALID_PARAM"],
    ["download/a/c?timeout_ms=soon", "M_INVALID_PARAM"],
    ["preview_url", "M_MISSING_PARAM"],
    ["preview_url?url=ftp%3A%2F%2Fa", "M_INVALID_PARAM"],
  ])("not for %s", async (path, errcode) => {
    const { ask, token } = await homeserver();
    expect(await errcodeOf(await ask("GET", `client/v1/media/${path}`, { token }))).toEqual([400, errcode]);
  });
});

describe("a page that has shown a token", () => {
  test("loads media without one, on new paths and old, and nothing else", async () => {
    const { ask, show, upload } = await homeserver();
    const at = await upload("x", "text/plain");
    const image = (path: string, caller: Caller) => ask("GET", `${path}/download/${at}`, { caller });
    expect(await errcodeOf(await image("client/v1/media", page))).toEqual([401, "M_MISSING_TOKEN"]);
    expect(await errcodeOf(await image("media/v3", page))).toEqual([404, "M_NOT_FOUND"]);
    await show(page);
    expect((await image("client/v1/media", page)).status).toBe(200);
    expect((await image("media/v3", page)).status).toBe(200);
    expect((await image("client/v1/media", { source: "own", page: "page-2" })).status).toBe(401);
    expect((await image("client/v1/media", { source: "own" })).status).toBe(401);
    expect(
      (
        await image("client/v1/media", {
          source: "relay",
          address: "page-1",
          baseUrl: "https://home.example",
        })
      ).status,
    ).toBe(401);
    expect((await ask("GET", "client/v1/media/config", { caller: page })).status).toBe(401);
    expect((await ask("POST", "media/v3/upload", { caller: page, body: "x" })).status).toBe(401);
  });

  test("is still known to the next service worker", async () => {
    const { show, upload, serviceWorker } = await homeserver();
    const at = await upload("x", "text/plain");
    await show(page);
    const next = serviceWorker();
    expect((await next("GET", `client/v1/media/download/${at}`, { caller: page })).status).toBe(200);
    const other: Caller = { source: "own", page: "page-2" };
    expect((await next("GET", `client/v1/media/download/${at}`, { caller: other })).status).toBe(401);
    expect((await next("GET", `media/v3/download/${at}`, { caller: other })).status).toBe(404);
  });

  test("is no tab that media is opened in, which is told what to do", async () => {
    const { ask, show, upload } = await homeserver();
    const at = await upload("x", "text/plain");
    await show(page);
    const path = `client/v1/media/download/${at}`;
    for (const [opened, status] of [
      [path, 401],
      [`media/v3/download/${at}`, 404],
    ] as const) {
      const answer = await ask("GET", opened, { destination: "document" });
      expect(answer.status).toBe(status);
      expect(answer.headers.get("Content-Type")).toMatch(/^text\/html/);
      expect(answer.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
      expect(await answer.text()).toContain("from your Matrix client");
    }
    const image = await ask("GET", path, { destination: "image" });
    expect(await errcodeOf(image)).toEqual([401, "M_MISSING_TOKEN"]);
  });

  test("is a stranger again once its session has ended, to the next service worker too", async () => {
    const { ask, show, token, upload, serviceWorker } = await homeserver();
    const at = await upload("x", "text/plain");
    const image = () => ask("GET", `client/v1/media/download/${at}`, { caller: page });
    await show(page);
    expect((await image()).status).toBe(200);
    expect((await ask("POST", "client/v3/logout", { token, caller: page })).status).toBe(200);
    expect(await errcodeOf(await image())).toEqual([401, "M_UNKNOWN_TOKEN"]);
    const next = await serviceWorker()("GET", `media/v3/download/${at}`, { caller: page });
    expect(await errcodeOf(next)).toEqual([401, "M_UNKNOWN_TOKEN"]);
  });

  test("need not wait until that is stored", async () => {
    const { ask, binds, token, upload } = await homeserver();
    const at = await upload("x", "text/plain");
    binds.mockReturnValueOnce(new Promise(() => undefined));
    await ask("GET", "client/v1/media/config", { token, caller: page });
    expect((await ask("GET", `client/v1/media/download/${at}`, { caller: page })).status).toBe(200);
  });

  test("with a token that is none is bound to nothing", async () => {
    const { ask, binds, upload } = await homeserver();
    const at = await upload("x", "text/plain");
    await ask("GET", "client/v1/media/config", { token: "none", caller: page });
    expect((await ask("GET", `client/v1/media/download/${at}`, { caller: page })).status).toBe(401);
    expect(binds).not.toHaveBeenCalled();
  });

  test("is told to the homeserver once, and again where that failed", async () => {
    const { ask, show, binds, token } = await homeserver();
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    binds.mockRejectedValueOnce(new Error("the disk is full"));
    await ask("GET", "client/v1/media/config", { token, caller: page });
    await vi.waitUntil(() => warn.mock.calls.length === 1);
    binds.mockClear();
    await show(page);
    await show(page);
    expect(binds.mock.calls).toEqual([["page-1", token]]);
    warn.mockRestore();
  });
});
