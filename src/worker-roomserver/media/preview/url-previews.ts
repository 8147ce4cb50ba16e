import { forbidden, invalidParam, MatrixError, unknown } from "../../../matrix/errors.ts";
import type { ServerName } from "../../../matrix/identifiers.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import { isJsonObject } from "../../../matrix/json.ts";
import { essenceOf } from "../../../matrix/media-type.ts";
import { mxcUri } from "../../../matrix/mxc.ts";
import { type Egress, type EgressAnswer, type EgressFailure, isFailure } from "../../egress/api.ts";
import { beginningOf, bytesOf } from "../../egress/body.ts";
import { refusalOf } from "../../egress/rules.ts";
import type { Storage } from "../../storage/api.ts";
import { readImageHeader } from "../image-header/image-header.ts";
import { fetchedMs } from "../limits.ts";
import { randomId } from "../media-rows.ts";
import type { Uploads } from "../uploads.ts";
import { decodePage } from "./charset.ts";
import { summarisePage } from "./open-graph.ts";

/** How much of a page is read: what it says of itself stands at its beginning. */
const pageBytes = 1024 ** 2;
const imageBytes = 5 * 1024 ** 2;
/** A page and its image together. */
const fetchWithinMs = 15_000;
const longestUrl = 2_048;

export type UrlPreviewsOptions = {
  storage: Storage;
  serverName: ServerName;
  now: () => number;
  egress: Egress;
  uploads: Uploads;
  /** Where this page is itself: requests there would come back to this homeserver. Undefined in tests. */
  ownOrigin: string | undefined;
};

/** Previews of web pages. Loaded when the first one is asked for: a parser for HTML comes with it. */
export class UrlPreviews {
  readonly #with: UrlPreviewsOptions;
  /** By address: one request for all who ask at once. */
  readonly #underWay = new Map<string, Promise<JsonObject>>();

  constructor(options: UrlPreviewsOptions) {
    this.#with = options;
  }

  async preview(text: string, freshMs: number): Promise<JsonObject> {
    const url = this.#parse(text);
    const { storage, now } = this.#with;
    const known = await storage.get("urlPreviews", url.href);
    if (known !== undefined && known.until > now()) return parsed(known.json);
    const same = this.#underWay.get(url.href);
    if (same !== undefined) return same;
    const answer = this.#fetchAndKeep(url, freshMs).finally(() => this.#underWay.delete(url.href));
    this.#underWay.set(url.href, answer);
    return answer;
  }

  async #fetchAndKeep(url: URL, freshMs: number): Promise<JsonObject> {
    const { storage, now } = this.#with;
    const answer = await this.#summary(url, now() + fetchWithinMs);
    const row = { json: JSON.stringify(answer), until: now() + freshMs };
    await storage.commit((write) => write.put("urlPreviews", row, url.href), { relaxed: true });
    return answer;
  }

  /** @param by - when it has to be there, in milliseconds since 1970 */
  async #summary(url: URL, by: number): Promise<JsonObject> {
    const response = await this.#get(url, "text/html,application/xhtml+xml,image/*;q=0.8", by);
    const type = response.headers["content-type"] ?? "";
    const essence = essenceOf(type);
    if (essence.startsWith("image/")) return this.#imageProperties(response);
    if (essence !== "text/html" && essence !== "application/xhtml+xml") {
      await response.body?.cancel();
      return {};
    }
    const page = await beginningOf(response, pageBytes);
    if (isFailure(page)) throw noAnswer(page);
    const { properties, image, base } = summarisePage(decodePage(page, type));
    // Relative addresses are of where it is, which redirects may have changed.
    const source = image === undefined ? undefined : resolved(image, base, response.url);
    return { ...properties, ...(source && (await this.#imageOf(source, by))) };
  }

  /** A page without its image is better than none. */
  async #imageOf(url: URL, by: number): Promise<JsonObject> {
    if (!this.#isAllowed(url)) return {};
    try {
      return await this.#imageProperties(await this.#get(url, "image/*", by));
    } catch (error) {
      if (error instanceof MatrixError) return {};
      throw error;
    }
  }

  async #imageProperties(response: EgressAnswer): Promise<JsonObject> {
    const bytes = await bytesOf(response);
    if (isFailure(bytes)) {
      if (bytes.failure === "tooLarge") return {};
      throw noAnswer(bytes);
    }
    // By its bytes: what is none of the known formats is not handed on as an image.
    const header = readImageHeader(bytes, false);
    if (header === undefined || header === "more") return {};
    const { serverName, uploads, now } = this.#with;
    const id = randomId();
    const blob = new Blob([bytes], { type: header.type });
    try {
      await uploads.keepFetched({ origin: "", id, until: now() + fetchedMs }, { blob, name: "" });
    } catch (error) {
      if (error instanceof MatrixError && error.errcode === "M_FORBIDDEN") return {}; // there is no room for it
      throw error;
    }
    return {
      "og:image": mxcUri({ serverName, mediaId: id }),
      "og:image:type": header.type,
      "og:image:width": header.width,
      "og:image:height": header.height,
      "matrix:image:size": bytes.length,
    };
  }

  async #get(url: URL, accept: string, by: number): Promise<EgressAnswer> {
    const { egress, now } = this.#with;
    const response = await egress.fetch(
      { kind: "preview", url: url.href },
      { method: "GET", headers: { Accept: accept }, timeout: Math.max(1, by - now()), maxBytes: imageBytes },
    );
    if (isFailure(response)) throw noAnswer(response);
    if (!this.#isAllowed(new URL(response.url))) {
      await response.body?.cancel();
      throw notPublic();
    }
    if (response.status >= 200 && response.status < 300) return response;
    await response.body?.cancel();
    throw unknown(`The page could not be fetched: its server answers ${response.status}.`, 502);
  }

  #parse(text: string): URL {
    const url = text.length <= longestUrl && URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
      throw invalidParam('"url" should be the http or https address of a page.');
    }
    if (!this.#isAllowed(url)) throw notPublic();
    url.hash = "";
    return url;
  }

  #isAllowed(url: URL): boolean {
    return refusalOf({ kind: "preview", url: url.href }) === undefined && url.origin !== this.#with.ownOrigin;
  }
}

function resolved(address: string, base: string | undefined, page: string): URL | undefined {
  const from = base !== undefined && URL.canParse(base, page) ? new URL(base, page).href : page;
  return URL.canParse(address, from) ? new URL(address, from) : undefined;
}

const notPublic = () => forbidden("There are no previews of addresses that are not of the public internet.");

/** A network says little of why; a browser says the same where another origin's pages may not be read. */
function noAnswer({ failure }: EgressFailure): MatrixError {
  if (failure === "refused") return notPublic();
  const isLate = failure === "timeout";
  return unknown(isLate ? "The page took too long to answer." : "The page could not be fetched.", 502);
}

function parsed(json: string): JsonObject {
  const value: unknown = JSON.parse(json);
  if (!isJsonObject(value)) throw new Error("a stored preview is no object");
  return value;
}
