import { encodeBase32 } from "../../matrix/base64.ts";
import { invalidParam } from "../../matrix/errors.ts";
import { hasLoneSurrogate, utf8Length } from "../../matrix/utf8.ts";

const maxDeviceIdBytes = 255;
const maxDisplayName = 256;

/** A device id for a client that asked for none: 10 capitals and digits. */
export function randomDeviceId(): string {
  return encodeBase32(crypto.getRandomValues(new Uint8Array(8)))
    .slice(0, 10)
    .toUpperCase();
}

/** @throws MatrixError M_INVALID_PARAM 400 for an id that could not stand in a key or in a path */
export function checkDeviceId(deviceId: string): void {
  if (deviceId === "" || utf8Length(deviceId) > maxDeviceIdBytes || hasLoneSurrogate(deviceId)) {
    throw invalidParam(`A device ID has 1 to ${maxDeviceIdBytes} bytes of Unicode text.`);
  }
}

/** @throws MatrixError M_INVALID_PARAM 400 for one that is too long */
export function checkDeviceDisplayName(displayName: string): void {
  if (displayName.length > maxDisplayName) {
    throw invalidParam(`A device's display name has at most ${maxDisplayName} characters.`);
  }
}
