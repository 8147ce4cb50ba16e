import { invalidParam } from "./errors.ts";
import { parseServerName, quote, type ServerName } from "./server-names.ts";

const mediaIdGrammar = /^[A-Za-z0-9_-]{1,255}$/;

/** Which media, and the server that it comes from. */
export type MediaAddress = { serverName: ServerName; mediaId: string };

/**
 * The two parts of an `mxc://` URI, as they stand in paths too: neither can lead anywhere else.
 * @throws {MatrixError} M_INVALID_PARAM (400)
 * @see https://spec.matrix.org/v1.19/client-server-api/#content-repo-security-considerations
 */
export function parseMediaAddress(serverName: string, mediaId: string): MediaAddress {
  if (!mediaIdGrammar.test(mediaId)) {
    throw invalidParam(`${quote(mediaId)} is not a media ID: it should be of letters, digits, "_" and "-".`);
  }
  return { serverName: parseServerName(serverName), mediaId };
}

/** @see https://spec.matrix.org/v1.19/client-server-api/#matrix-content-mxc-uris */
export const mxcUri = ({ serverName, mediaId }: MediaAddress): string => `mxc://${serverName}/${mediaId}`;
