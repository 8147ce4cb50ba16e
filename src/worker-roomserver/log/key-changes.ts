/**
 * What an entry `deviceList` is about, as its `detail` has it.
 * - `device`: the keys, the name or the signatures of one of the user's devices, or it is gone.
 * - `signing`: the user's master or self-signing key, or signatures of the master key.
 * - `own`: the user's user-signing key, or the user's signatures of others. Only the user sees those.
 * - `claimed`: somebody has claimed a key of the device, which only that device has to know.
 */
export type KeyChange =
  | { what: "device" | "claimed"; deviceId: string }
  | { what: "signing" | "own"; deviceId?: undefined };

export function keyChangeToDetail({ what, deviceId }: KeyChange): string {
  return deviceId === undefined ? what : `${what}/${deviceId}`;
}

export function detailToKeyChange(detail: string): KeyChange {
  if (detail === "signing" || detail === "own") return { what: detail };
  const slash = detail.indexOf("/");
  const what = detail.slice(0, slash);
  if (what !== "device" && what !== "claimed") throw new Error(`a log entry says of keys: ${detail}`);
  return { what, deviceId: detail.slice(slash + 1) };
}
