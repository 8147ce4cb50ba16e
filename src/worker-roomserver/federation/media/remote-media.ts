import { fileNameIn } from "../../../matrix/content-disposition.ts";
import { MatrixError, notFound, unknown } from "../../../matrix/errors.ts";
import type { ServerName } from "../../../matrix/identifiers.ts";
import { mediaTypeOr } from "../../../matrix/media-type.ts";
import { type EgressAnswer, type EgressTarget, isFailure } from "../../egress/api.ts";
import type { UploadedFile } from "../../media/api.ts";
import type { RemoteMedia } from "../../media/remote/api.ts";
import { FederationError } from "../api.ts";
import type { FederationContext } from "../context.ts";
import { asMatrixError } from "../queries/failures.ts";
import { collected, FileTooLarge } from "./collect.ts";
import { BrokenMultipart, readMultipart } from "./read-multipart.ts";

/** For the bytes, once they are there. Whoever has given up finds the file here the next time. Milliseconds. */
const TRANSFER_MS = 120_000;
/** Of an answer beside its file. */
const AROUND_BYTES = 128 * 1024;

type Bytes = Uint8Array<ArrayBuffer>;
type Wanted = { serverName: ServerName; mediaId: string; timeoutMs: number; maxBytes: number };
type Context = Pick<FederationContext, "client" | "egress">;

/** Fetches media from the servers that have it. Thumbnails are made here. */
export function remoteMedia({ client, egress }: Context): RemoteMedia {
  async function signed(wanted: Wanted): Promise<UploadedFile> {
    const { serverName, mediaId, timeoutMs, maxBytes } = wanted;
    const { headers, body } = await client.stream({
      method: "GET",
      destination: serverName,
      uri: `/_matrix/federation/v1/media/download/${mediaId}?timeout_ms=${timeoutMs}`,
      timeoutMs: timeoutMs + TRANSFER_MS,
      maxBytes: maxBytes + AROUND_BYTES,
    });
    if (body === null) throw new BrokenMultipart("The answer is empty.");
    const part = await readMultipart(headers["content-type"] ?? "", body);
    const location = part.headers.get("location");
    if (location === undefined) return fileOf(part.headers, part.bytes, maxBytes);
    await part.bytes.return();
    if (!/^https:\/\//i.test(location)) throw new BrokenMultipart("It leads to no https URL.");
    return openly({ kind: "media", url: location }, wanted);
  }

  /** From where anybody may fetch it. */
  async function openly(target: EgressTarget, { timeoutMs, maxBytes }: Wanted): Promise<UploadedFile> {
    const timeout = timeoutMs + TRANSFER_MS;
    const answer = await egress.fetch(target, { method: "GET", headers: {}, timeout, maxBytes });
    if (isFailure(answer)) throw answer;
    if (answer.status >= 200 && answer.status < 300) {
      return fileOf(new Map(Object.entries(answer.headers)), chunksOf(answer.body), maxBytes);
    }
    await answer.body?.cancel();
    throw answer.status === 404 ? missing() : unknown(`The media cannot be had: ${answer.status}.`, 502);
  }

  /** As it was before v1.11, for servers that know nothing else. */
  function before(wanted: Wanted): Promise<UploadedFile> {
    const { serverName, mediaId, timeoutMs } = wanted;
    const path = `/_matrix/media/v3/download/${serverName}/${mediaId}?allow_remote=false&timeout_ms=${timeoutMs}`;
    return openly({ kind: "media", url: `matrix://${serverName}${path}` }, wanted);
  }

  return {
    async fetch(serverName, mediaId, { timeoutMs, maxBytes }) {
      const wanted = { serverName, mediaId, timeoutMs: Math.max(0, Math.floor(timeoutMs)), maxBytes };
      try {
        return await signed(wanted).catch((error: unknown) => {
          if (isUnrecognized(error)) return before(wanted);
          throw error;
        });
      } catch (error) {
        throw refusal(error, serverName);
      }
    },
  };
}

async function fileOf(
  headers: ReadonlyMap<string, string>,
  bytes: AsyncIterable<Bytes>,
  maxBytes: number,
): Promise<UploadedFile> {
  const type = mediaTypeOr(headers.get("content-type") ?? "");
  return {
    blob: await collected(bytes, maxBytes, type),
    name: fileNameIn(headers.get("content-disposition") ?? ""),
  };
}

async function* chunksOf(body: EgressAnswer["body"]): AsyncGenerator<Bytes> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}

/** The server does not know the endpoint. @see https://spec.matrix.org/v1.19/server-server-api/#unsupported-endpoints */
const isUnrecognized = (error: unknown) =>
  error instanceof FederationError &&
  (error.status === 404 || error.status === 405) &&
  (error.error === undefined || error.error.errcode === "M_UNRECOGNIZED");

const missing = () => notFound("Its server has no such media.");
const tooLarge = () => new MatrixError("M_TOO_LARGE", 502, "The file is larger than this server takes.");

/** What a client is told. */
function refusal(error: unknown, serverName: string): MatrixError {
  if (error instanceof FileTooLarge) return tooLarge();
  if (error instanceof BrokenMultipart) return unknown(`${serverName}: ${error.message}`, 502);
  if (isFailure(error) && !(error instanceof FederationError)) {
    if (error.failure === "tooLarge") return tooLarge();
    return unknown(`${serverName}: ${error.why}`, error.failure === "timeout" ? 504 : 502);
  }
  if (error instanceof FederationError) {
    if (error.failure === "tooLarge" || error.error?.errcode === "M_TOO_LARGE") return tooLarge();
    if (error.error?.errcode === "M_NOT_YET_UPLOADED") {
      return new MatrixError("M_NOT_YET_UPLOADED", 504, "This media has not been uploaded yet.");
    }
  }
  return asMatrixError(error, missing().message);
}
