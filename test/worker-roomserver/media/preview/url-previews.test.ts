import { describe, expect, test, vi } from "vitest";
import type { Egress, EgressFailure } from "../../../../src/worker-roomserver/egress/api.ts";
import { defaultLimits, fetchedMs } from "../../../../src/worker-roomserver/media/limits.ts";
import { outsideAnswer } from "../../support/egress.ts";
import { atOnce, partsOf, testMedia, through } from "../../support/media.ts";
import { refusal, requester } from "../../support/requester.ts";
import { dump } from "../../support/storage.ts";
import { png } from "../images.ts";

const alice = requester("alice");
const hour = 60 * 60_000;
const page = "https://cats.example/about/";

/** A body that is read more than once is made each time. */
type Answer = { body: BodyInit | (() => BodyInit); type?: string; status?: number; url?: string };

/** A web of these addresses, and what has been asked of it. */
function web(answers: Record<string, Answer | EgressFailure>) {
  const asked: string[] = [];
  const egress: Egress["fetch"] = async ({ url }) => {
    asked.push(url);
    const answer = answers[url] ?? failed;
    if ("failure" in answer) return answer;
    const body = typeof answer.body === "function" ? answer.body() : answer.body;
    return outsideAnswer(body, { type: "text/html", url, ...answer });
  };
  return { asked, egress };
}

const failed: EgressFailure = { failure: "unreachable", why: "Failed to fetch" };
const late: EgressFailure = { failure: "timeout", why: "over" };
/** A body that fails after its first bytes. */
const broken = (failure: EgressFailure) =>
  new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: (stream) => stream.error(failure),
      start: (stream) => stream.enqueue(png(3, 2).slice(0, 9)),
    },
    { highWaterMark: 0 },
  );

const html = (image: string) => `<title>Cats</title><meta property="og:image" content="${image}">`;

describe("a preview", () => {
  test("says what the page says, with its image as media of this server", async () => {
    const { asked, egress } = web({
      [page]: { body: html("../cat.png") },
      "https://cats.example/cat.png": { body: png(30, 20), type: "text/plain" },
    });
    const { media } = await testMedia({ egress });
    const preview = await media.preview(alice, `${page}#top`);
    expect(preview).toEqual({
      "og:title": "Cats",
      "og:image": expect.stringMatching(/^mxc:\/\/home\.example\//),
      "og:image:type": "image/png",
      "og:image:width": 30,
      "og:image:height": 20,
      "matrix:image:size": png(30, 20).length,
    });
    const file = await media.download(...partsOf(String(preview["og:image"])), atOnce);
    expect(file.type).toBe("image/png");
    expect(new Uint8Array(await file.blob.arrayBuffer())).toEqual(png(30, 20));
    expect(asked).toEqual([page, "https://cats.example/cat.png"]);
  });

  test("is asked for once by all who ask within an hour, also of the next leader", async () => {
    const { asked, egress } = web({ [page]: { body: "<title>Cats</title>" } });
    const opened = await testMedia({ egress });
    const both = await Promise.all([opened.media.preview(alice, page), opened.media.preview(alice, page)]);
    expect(both).toEqual([{ "og:title": "Cats" }, { "og:title": "Cats" }]);
    const next = await opened.crash();
    next.world.time += hour - 1;
    expect(await next.media.preview(alice, page)).toEqual({ "og:title": "Cats" });
    expect(asked).toHaveLength(1);
    next.world.time += 1;
    await next.media.preview(alice, page);
    expect(asked).toHaveLength(2);
  });

  test("is forgotten in time, and its image", async () => {
    const { egress } = web({
      [page]: { body: html("/cat.png") },
      "https://cats.example/cat.png": { body: png(30, 20) },
    });
    const { media, storage, world, dropExpired } = await testMedia({ egress });
    await media.preview(alice, page);
    await through(dropExpired);
    expect((await dump(storage)).urlPreviews).toHaveLength(1);
    world.time += fetchedMs;
    await through(dropExpired);
    const { urlPreviews, blobs, media: rows, mediaUsage } = await dump(storage);
    expect([urlPreviews, blobs, rows, mediaUsage]).toEqual([[], [], [], []]);
  });

  test("of an image is that image, of anything else nothing", async () => {
    const { egress } = web({
      [page]: { body: png(3, 2), type: "image/png" },
      "https://cats.example/pdf": { body: "%PDF", type: "application/pdf" },
      "https://cats.example/no-image": { body: "hello", type: "image/png" },
    });
    const { media } = await testMedia({ egress });
    expect(await media.preview(alice, page)).toMatchObject({ "og:image:width": 3 });
    expect(await media.preview(alice, "https://cats.example/pdf")).toEqual({});
    expect(await media.preview(alice, "https://cats.example/no-image")).toEqual({});
  });

  test.each<[what: string, image: string, answer: Answer | EgressFailure]>([
    ["cannot be had", "/cat.png", { body: "", status: 404 }],
    ["nobody answers for", "/cat.png", failed],
    ["breaks off", "/cat.png", { body: () => broken(failed) }],
    ["is no image", "/cat.png", { body: "<svg/>", type: "image/svg+xml" }],
    ["is too large", "/cat.png", { body: broken({ failure: "tooLarge", why: "" }) }],
    ["has led elsewhere", "/cat.png", { body: png(3, 2), url: "http://192.168.0.1/" }],
    ["is of a network of its own", "http://127.0.0.1/cat.png", { body: png(3, 2) }],
    ["has no address", "https://", { body: png(3, 2) }],
  ])("does without an image that %s", async (_, image, answer) => {
    const { egress, asked } = web({ [page]: { body: html(image) }, "https://cats.example/cat.png": answer });
    const { media } = await testMedia({ egress });
    expect(await media.preview(alice, page)).toEqual({ "og:title": "Cats" });
    expect(asked.every((url) => url.startsWith("https://cats.example/"))).toBe(true);
  });

  test("does without an image that there is no room for", async () => {
    const { egress } = web({
      [page]: { body: html("/cat.png") },
      "https://cats.example/cat.png": { body: png(3, 2) },
    });
    const { media } = await testMedia({ egress, limits: { ...defaultLimits, fetchedBytes: 5 } });
    expect(await media.preview(alice, page)).toEqual({ "og:title": "Cats" });
  });

  test("reads no more of a page than its beginning", async () => {
    const start = new TextEncoder().encode("<title>Long</title>");
    let pulls = 0;
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (stream) => stream.enqueue(pulls++ === 0 ? start : new Uint8Array(100_000)),
    });
    const { egress } = web({ [page]: { body } });
    const { media } = await testMedia({ egress });
    expect(await media.preview(alice, page)).toEqual({ "og:title": "Long" });
    expect(pulls).toBeLessThan(20);
  });

  test.each<[what: string, answer: Answer | EgressFailure]>([
    ["cannot be reached", failed],
    ["breaks off", { body: () => broken(failed) }],
    ["takes too long", late],
    ["takes too long in the midst of it", { body: () => broken(late) }],
    ["is not there", { body: "", status: 404 }],
  ])("of a page that %s is refused, and asked for again", async (_, answer) => {
    const { asked, egress } = web({ [page]: answer });
    const { media } = await testMedia({ egress });
    for (const count of [1, 2]) {
      expect(await refusal(media.preview(alice, page))).toEqual({ errcode: "M_UNKNOWN", status: 502 });
      expect(asked).toHaveLength(count);
    }
  });

  test.each([
    ["not an address", "M_INVALID_PARAM", 400],
    ["javascript:alert(1)", "M_INVALID_PARAM", 400],
    [`https://cats.example/${"a".repeat(3_000)}`, "M_INVALID_PARAM", 400],
    ["http://192.168.0.1/", "M_FORBIDDEN", 403],
    ["http://localhost:8008/_matrix/client/versions", "M_FORBIDDEN", 403],
  ])("of %s is refused", async (url, errcode, status) => {
    const egress = vi.fn();
    const { media } = await testMedia({ egress });
    expect(await refusal(media.preview(alice, url))).toEqual({ errcode, status });
    expect(egress).not.toHaveBeenCalled();
  });

  test("of a page that has led into a network of its own is refused", async () => {
    const { egress } = web({ [page]: { body: "<title>router</title>", url: "http://192.168.0.1/" } });
    const { media } = await testMedia({ egress });
    expect(await refusal(media.preview(alice, page))).toEqual({ errcode: "M_FORBIDDEN", status: 403 });
  });
});
