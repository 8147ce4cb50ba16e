import { isJsonObject } from "../../matrix/json.ts";
import type { ByteChannel } from "../api.ts";
import { endedHeader, maxTransfer, pollWait } from "./fetch-protocol.ts";

/** `fetch`, given so that tests can lose answers. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** `setTimeout`, given so that tests need not wait. */
type After = (run: () => void, milliseconds: number) => void;

/** Waits before a request is sent again, in milliseconds; after the last one the connection is taken for broken. */
const repeats = [200, 500, 1000, 2000, 4000, 8000];
/** What a request may take beyond what the relay lets it wait. */
const patience = 15_000;
/** A relay that answers and takes nothing for so long is stuck. */
const maxRefusals = 20;

/** @throws whatever keeps it from opening, the signal's reason included */
export async function connectFetch(
  address: string,
  signal: AbortSignal,
  request: Fetch = (url, init) => fetch(url, init),
  after: After = setTimeout,
): Promise<ByteChannel> {
  const opened = await request(address, { method: "POST", signal });
  const json: unknown = opened.ok ? await opened.json() : undefined;
  const session = isJsonObject(json) ? json.session : undefined;
  if (typeof session !== "string") throw new Error(`The relay opened no session (status ${opened.status}).`);
  return fetchChannel(`${address}/${encodeURIComponent(session)}`, request, after);
}

function fetchChannel(address: string, request: Fetch, after: After): ByteChannel {
  const over = new AbortController();
  let reader: ReadableStreamDefaultController<Uint8Array>;
  let writer: WritableStreamDefaultController;
  let sent = 0;
  let received = 0;

  const finish = (end: () => void) => {
    if (over.signal.aborted) return;
    end();
    writer.error(new Error("The session is over."));
    over.abort(new Error("The session is over."));
  };
  const fail = (error: unknown) => finish(() => reader.error(error));
  const close = () => {
    if (over.signal.aborted) return;
    finish(() => reader.close());
    // On a page that goes away, too. Where it does not arrive, the relay notices the silence.
    request(`${address}/end`, { method: "POST", keepalive: true }).catch(() => undefined);
  };

  /** Sends a request until it is answered: with the same `at` it can be sent any number of times. */
  async function insist(url: string, init: RequestInit, time: number): Promise<Response> {
    for (let attempt = 0; ; attempt++) {
      const signal = AbortSignal.any([over.signal, AbortSignal.timeout(time)]);
      const wait = repeats[attempt];
      try {
        const answer = await request(url, { ...init, signal, cache: "no-store" });
        if (answer.ok) return await whole(answer);
        if (answer.status < 500 && answer.status !== 429)
          throw new Gone(`The relay answers ${answer.status}.`);
        if (wait === undefined) throw new Gone(`The relay answers ${answer.status} again and again.`);
      } catch (error) {
        if (error instanceof Gone || over.signal.aborted || wait === undefined) throw error;
      }
      await new Promise<void>((resolve) => {
        after(resolve, wait);
      });
    }
  }

  async function push(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const end = sent + bytes.length;
    for (let refusals = 0; sent < end; ) {
      const body = bytes.subarray(bytes.length - (end - sent));
      const answer = await insist(`${address}/up?at=${sent}`, { method: "POST", body }, pollWait + patience);
      const json: unknown = await answer.json();
      const at = isJsonObject(json) ? json.at : undefined;
      if (typeof at !== "number" || at < sent || at > end) throw new Gone("The relay has lost count.");
      refusals = at > sent ? 0 : refusals + 1;
      if (refusals > maxRefusals) throw new Gone("The relay takes nothing any more.");
      sent = at;
    }
  }

  const readable = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        reader = controller;
      },
      async pull(controller) {
        try {
          for (;;) {
            const answer = await insist(`${address}/down?at=${received}`, {}, pollWait + patience);
            const bytes = new Uint8Array(await answer.arrayBuffer());
            if (over.signal.aborted) return;
            received += bytes.length;
            if (bytes.length > 0) return controller.enqueue(bytes);
            if (answer.headers.get(endedHeader) === "ended") return finish(() => controller.close());
          }
        } catch (error) {
          fail(error);
        }
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<Uint8Array>(
    {
      start: (controller) => {
        writer = controller;
      },
      async write(piece) {
        try {
          for (let at = 0; at < piece.length; at += maxTransfer) {
            await push((piece as Uint8Array<ArrayBuffer>).subarray(at, at + maxTransfer));
          }
        } catch (error) {
          fail(error);
          throw error;
        }
      },
    },
    { highWaterMark: 1 },
  );
  return { kind: "fetch", readable, writable, close };
}

/** It is over, and asking again does not help. */
class Gone extends Error {}

/** An answer with its body in memory: what breaks off in the middle is asked for again. */
async function whole(answer: Response): Promise<Response> {
  const body = await answer.arrayBuffer();
  return new Response(body, { status: answer.status, headers: answer.headers });
}
