import { isJsonObject, type JsonValue } from "../../../matrix/json.ts";
import { authorizationFor } from "../../../matrix/x-matrix.ts";
import { type EgressAnswer, type EgressFailure, type EgressRequest, isFailure } from "../../egress/api.ts";
import { bytesOf } from "../../egress/body.ts";
import type { Destinations, FederationAnswer, FederationClient, FederationRequest } from "../api.ts";
import { FederationError } from "../api.ts";
import type { FederationOptions } from "../context.ts";

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 10 * 1024 * 1024;

export type ClientOptions = Pick<FederationOptions, "serverName" | "key" | "egress"> & {
  destinations: Pick<Destinations, "isReady" | "succeeded" | "failed">;
};

/** @see FederationClient */
export class SigningClient implements FederationClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  async request(request: FederationRequest): Promise<FederationAnswer> {
    const { destination } = request;
    const answer = await this.#ask(request);
    const bytes = await bytesOf(answer);
    if (isFailure(bytes)) throw this.#failed(destination, bytes);
    const text = new TextDecoder().decode(bytes);
    const json = parsed(text);
    if (answer.status >= 200 && answer.status < 300) {
      this.#options.destinations.succeeded(destination);
      if (json === undefined) throw new FederationError("invalid", destination, "Its answer is not JSON.");
      return { status: answer.status, text, json };
    }
    throw this.#refusal(destination, answer.status, json);
  }

  async stream(request: FederationRequest) {
    const { destination } = request;
    const answer = await this.#ask(request);
    const { status, headers, body } = answer;
    if (status >= 200 && status < 300) {
      this.#options.destinations.succeeded(destination);
      return { status, headers, body };
    }
    const bytes = await bytesOf(answer);
    const text = isFailure(bytes) ? "" : new TextDecoder().decode(bytes);
    throw this.#refusal(destination, status, parsed(text));
  }

  async #ask(request: FederationRequest): Promise<EgressAnswer> {
    const { destination, method, uri, content, evenBackedOff = "no" } = request;
    const { serverName, key, egress, destinations } = this.#options;
    if (evenBackedOff === "no" && !(await destinations.isReady(destination))) {
      throw new FederationError(
        "backingOff",
        destination,
        "It did not answer before, and is left alone a while.",
      );
    }
    const authorization = await authorizationFor(
      { method, uri, origin: serverName, destination, content },
      key,
    );
    const sent: EgressRequest = {
      method,
      headers: { Authorization: authorization, ...(content && { "Content-Type": "application/json" }) },
      ...(content && { body: JSON.stringify(content) }),
      timeout: request.timeoutMs ?? TIMEOUT_MS,
      maxBytes: request.maxBytes ?? MAX_BYTES,
    };
    const answer = await egress.fetch({ kind: "federation", url: `matrix://${destination}${uri}` }, sent);
    if (isFailure(answer)) throw this.#failed(destination, answer);
    return answer;
  }

  #failed(destination: string, { failure, why }: EgressFailure): FederationError {
    if (failure !== "tooLarge") this.#options.destinations.failed(destination, why);
    return new FederationError(failure, destination, why);
  }

  #refusal(destination: string, status: number, json: JsonValue | undefined): FederationError {
    const why = `It answers ${status}.`;
    const { destinations } = this.#options;
    // Whatever it refuses, it is there; unless it says itself that it is not well, or asked too often.
    if (status >= 500 || status === 429) destinations.failed(destination, why);
    else destinations.succeeded(destination);
    const error =
      isJsonObject(json) && typeof json.errcode === "string" ? { ...json, errcode: json.errcode } : undefined;
    return new FederationError("answered", destination, why, { status, ...(error && { error }) });
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
