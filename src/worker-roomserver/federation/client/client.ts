import { isJsonObject, type JsonValue } from "../../../matrix/json.ts";
import { authorizationFor } from "../../../matrix/x-matrix.ts";
import { type EgressAnswer, type EgressFailure, type EgressRequest, isFailure } from "../../egress/api.ts";
import { beginningOf, bytesOf } from "../../egress/body.ts";
import type { Destinations, FederationAnswer, FederationClient, FederationRequest } from "../api.ts";
import { FederationError } from "../api.ts";
import type { FederationOptions } from "../context.ts";
import { Lanes, standingOf } from "./lanes.ts";

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 10 * 1024 * 1024;
/** Bytes of an answer that says why not. */
const MAX_ERROR_BYTES = 64 * 1024;

export type ClientOptions = Pick<FederationOptions, "serverName" | "key" | "egress" | "now" | "later"> & {
  destinations: Pick<Destinations, "state" | "succeeded" | "failed" | "notAsked">;
};

/** @see FederationClient */
export class SigningClient implements FederationClient {
  readonly #options: ClientOptions;
  readonly #lanes = new Lanes();
  /** Questions under way, by all that could make their answers differ. */
  readonly #questions = new Map<string, Promise<FederationAnswer>>();

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  async request(request: FederationRequest): Promise<FederationAnswer> {
    // What asks and changes nothing may have one answer for all who want it now.
    if (request.method !== "GET" || request.content !== undefined) return this.#whole(request);
    const { destination, uri, timeoutMs, maxBytes, evenBackedOff } = request;
    const question = JSON.stringify([destination, uri, timeoutMs, maxBytes, evenBackedOff]);
    const asked =
      this.#questions.get(question) ?? this.#whole(request).finally(() => this.#questions.delete(question));
    this.#questions.set(question, asked);
    return asked;
  }

  async stream(request: FederationRequest) {
    return this.#inLane(request, async (answer) => {
      const { status, headers, body } = answer;
      if (!isGood(status)) throw await this.#refusal(request.destination, answer);
      this.#options.destinations.succeeded(request.destination);
      return { status, headers, body };
    });
  }

  #whole(request: FederationRequest): Promise<FederationAnswer> {
    const { destination } = request;
    return this.#inLane(request, async (answer, askedAt) => {
      if (!isGood(answer.status)) throw await this.#refusal(destination, answer, askedAt);
      const bytes = await bytesOf(answer);
      if (isFailure(bytes)) throw this.#failed(destination, bytes, askedAt);
      const text = decoded(bytes);
      const whole = text === undefined ? undefined : answerFrom(destination, answer.status, text);
      if (whole === undefined) {
        // Somebody else is at its address now, or it is not well.
        this.#options.destinations.failed(destination, NO_JSON, askedAt);
        throw new FederationError("invalid", destination, NO_JSON);
      }
      this.#options.destinations.succeeded(destination);
      return whole;
    });
  }

  /** Asks when it is the request's turn, and keeps its place until the answer has been taken. */
  async #inLane<T>(
    request: FederationRequest,
    take: (answer: EgressAnswer, askedAt: number) => Promise<T>,
  ): Promise<T> {
    const { destination, evenBackedOff = "no", timeoutMs = TIMEOUT_MS } = request;
    const { serverName, destinations, now } = this.#options;
    if (destination === serverName) {
      throw new FederationError("refused", destination, "This is the server itself.", { isOurs: true });
    }
    const mayBeAsked = async () => {
      const state = await destinations.state(destination);
      if (evenBackedOff === "yes" || state.retryAt <= now()) return state;
      const why = "It did not answer before, and is left alone a while.";
      throw new FederationError("backingOff", destination, why);
    };
    const standing = standingOf(await mayBeAsked());
    // Half of the time is left for the request itself.
    const began = now();
    const patience = AbortSignal.timeout(Math.floor(timeoutMs / 2));
    const leave = await this.#lanes.enter(destination, standing, patience);
    if (leave === undefined) {
      const why = "Too many requests are under way.";
      throw new FederationError("timeout", destination, why, { isOurs: true });
    }
    try {
      // What has hung meanwhile is not asked by all who have waited behind that.
      await mayBeAsked();
      const askedAt = now();
      return await take(await this.#ask(request, began + timeoutMs), askedAt);
    } finally {
      leave();
    }
  }

  async #ask(request: FederationRequest, until: number): Promise<EgressAnswer> {
    const { destination, method, uri, content, maxBytes = MAX_BYTES } = request;
    const { serverName, key, egress, now } = this.#options;
    const signed = { method, uri, origin: serverName, destination, content };
    const authorization = await authorizationFor(signed, key);
    const sent: Omit<EgressRequest, "timeout"> = {
      ...{ method, maxBytes },
      headers: { Authorization: authorization, ...(content && { "Content-Type": "application/json" }) },
      ...(content && { body: JSON.stringify(content) }),
    };
    for (;;) {
      const askedAt = now();
      const timeout = Math.max(1, until - askedAt);
      const url = `matrix://${destination}${uri}`;
      const answer = await egress.fetch({ kind: "federation", url }, { ...sent, timeout });
      if (!isFailure(answer)) return answer;
      const { retryAfter } = answer;
      // It has not been sent, so that this is still the one attempt.
      if (retryAfter === undefined || now() + retryAfter >= until) {
        throw this.#failed(destination, answer, askedAt);
      }
      await new Promise<void>((resolve) => void this.#options.later(retryAfter, resolve));
    }
  }

  #failed(destination: string, { failure, why, isOurs }: EgressFailure, askedAt: number): FederationError {
    if (isOurs === true) {
      this.#options.destinations.notAsked(destination, askedAt);
      return new FederationError(failure, destination, why, { isOurs });
    }
    // Who sends too much is there.
    if (failure !== "tooLarge") this.#options.destinations.failed(destination, why, askedAt);
    return new FederationError(failure, destination, why);
  }

  async #refusal(destination: string, answer: EgressAnswer, askedAt?: number): Promise<FederationError> {
    const { destinations } = this.#options;
    const { status } = answer;
    const bytes = await beginningOf(answer, MAX_ERROR_BYTES);
    const text = isFailure(bytes) ? undefined : decoded(bytes);
    const json = text === undefined ? undefined : parsed(text);
    const why = `It answers ${status}.`;
    const error =
      isJsonObject(json) && typeof json.errcode === "string" ? { ...json, errcode: json.errcode } : undefined;
    if (isUnwell(status, error?.errcode)) destinations.failed(destination, why, askedAt);
    // What refuses in other words may be what has been left in front of a server that is gone: it proves nothing.
    else if (error !== undefined) destinations.succeeded(destination);
    return new FederationError("answered", destination, why, { status, ...(error && { error }) });
  }
}

/** Answers of media that have a 5xx and are about the file alone. */
const ofOneFile = new Map([
  [502, "M_TOO_LARGE"],
  [504, "M_NOT_YET_UPLOADED"],
]);

/**
 * Whether an error is about the server as a whole: it says that it is not well, or cannot tell who asks (401), which is so
 * for all that it is asked. Any other is about what it was asked, or how often, and is a sign of life.
 */
function isUnwell(status: number, errcode: string | undefined): boolean {
  if (status === 401) return true;
  return status >= 500 && (errcode === undefined || ofOneFile.get(status) !== errcode);
}

const isGood = (status: number) => status >= 200 && status < 300;

/** Characters of an answer past which it is parsed only for who wants that: events are read from their own text. */
const LARGE = 1024 * 1024;
const NO_JSON = "Its answer is not JSON.";

/** @returns undefined for what is no JSON; of what is large only its ends are looked at */
function answerFrom(destination: string, status: number, text: string): FederationAnswer | undefined {
  if (text.length <= LARGE) {
    const json = parsed(text);
    return json === undefined ? undefined : { status, text, json };
  }
  if (!/^\s*[{[]/.test(text.slice(0, 100)) || !/[}\]]\s*$/.test(text.slice(-100))) return undefined;
  let json: JsonValue | undefined;
  return {
    ...{ status, text },
    get json() {
      json ??= parsed(text);
      if (json === undefined) throw new FederationError("invalid", destination, NO_JSON);
      return json;
    },
  };
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
