import type { ByteChannel } from "../../link/api.ts";
import type { Clock } from "../../link/clock.ts";
import { endedHeader, maxTransfer, pollWait } from "../../link/transports/fetch-protocol.ts";
import { encodeBase64Url } from "../../matrix/base64.ts";
import { invalidParam, MatrixError, notFound, tooLarge, unknown, unrecognized } from "../../matrix/errors.ts";
import { FetchChannel } from "./fetch-channel.ts";

/** A page may come from anywhere, and sends no cookies: what opens a session is the node's signature. */
const openToPages = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, POST",
  "access-control-allow-headers": "content-type",
  "access-control-expose-headers": `${endedHeader}, retry-after`,
  "access-control-max-age": "86400",
  "cache-control": "no-store",
};

/** Sessions over plain requests, those of strangers in their handshake included. */
const maxSessions = 10_000;
/** Requests to one session at a time: one each way, and one each whose answer was lost. */
const maxAtOnce = 4;

/** Answers the requests below the link's address, see fetch-protocol.ts. */
export class FetchDoor {
  readonly #clock: Clock;
  readonly #accept: (channel: ByteChannel, address: string) => void;
  readonly #channels = new Map<string, { channel: FetchChannel; requests: number }>();

  constructor(clock: Clock, accept: (channel: ByteChannel, address: string) => void) {
    this.#clock = clock;
    this.#accept = accept;
  }

  /** How many sessions are remembered. */
  get size(): number {
    return this.#channels.size;
  }

  /**
   * @param path - below the link's address: "" or `/{session}/{verb}`
   * @param address - where it comes from, without the port
   */
  async answer(request: Request, path: string, address: string): Promise<Response> {
    if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: openToPages });
    try {
      const response = await this.#route(request, path, address);
      for (const [name, value] of Object.entries(openToPages)) response.headers.set(name, value);
      return response;
    } catch (error) {
      const known = error instanceof MatrixError ? error : unknown("The request broke off.", 400);
      return Response.json(known, { status: known.status, headers: openToPages });
    }
  }

  async #route(request: Request, path: string, address: string): Promise<Response> {
    const [, session, verb, more] = path.split("/");
    if (session === undefined) {
      if (request.method !== "POST") throw unrecognized("A session is opened with POST.", 405);
      return this.#open(address);
    }
    const entry = this.#channels.get(session);
    if (entry === undefined || more !== undefined) throw notFound("There is no such session any more.");
    if (request.method !== (verb === "down" ? "GET" : "POST")) throw unrecognized("Not this method.", 405);
    if (entry.requests >= maxAtOnce) {
      throw new MatrixError("M_LIMIT_EXCEEDED", 429, "Too many requests to one session at once.");
    }
    entry.requests++;
    entry.channel.heard();
    try {
      return await this.#use(entry.channel, verb, request);
    } finally {
      entry.requests--;
    }
  }

  #open(address: string): Response {
    if (this.#channels.size >= maxSessions) throw unknown("Too many sessions over plain requests.", 503);
    const session = encodeBase64Url(crypto.getRandomValues(new Uint8Array(24)));
    const channel = new FetchChannel(this.#clock, () => this.#channels.delete(session));
    this.#channels.set(session, { channel, requests: 0 });
    this.#accept(channel, address);
    return Response.json({ session });
  }

  async #use(channel: FetchChannel, verb: string | undefined, request: Request): Promise<Response> {
    if (verb === "up") {
      const at = await channel.up(position(request), await readBody(request), pollWait);
      if (at === undefined) throw conflict();
      return Response.json({ at });
    }
    if (verb === "down") {
      const down = await channel.down(position(request), pollWait);
      if (down === undefined) throw conflict();
      const headers = {
        "content-type": "application/octet-stream",
        [endedHeader]: down.ended ? "ended" : "open",
      };
      return new Response(down.bytes as Uint8Array<ArrayBuffer>, { headers });
    }
    if (verb === "end") {
      channel.close();
      channel.fail("The node has ended the session.");
      return Response.json({});
    }
    throw unrecognized("A session is asked for up, down or end.");
  }
}

const conflict = () => new MatrixError("M_UNKNOWN", 409, "The two sides do not agree on what has arrived.");

function position(request: Request): number {
  const text = new URL(request.url).searchParams.get("at") ?? "";
  if (!/^\d{1,15}$/.test(text)) throw invalidParam("`at` has to be a number of bytes.");
  return Number(text);
}

/** No more than one transfer may have, whatever its header says. */
async function readBody(request: Request): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = request.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done || value === undefined) break;
    length += value.length;
    if (length > maxTransfer) {
      await reader?.cancel();
      throw tooLarge(`A transfer is at most ${maxTransfer} bytes.`);
    }
    pieces.push(value);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    body.set(piece, at);
    at += piece.length;
  }
  return body;
}
