import type { JsonObject } from "../../matrix/json.ts";
import type { Requester } from "../node/requester.ts";
import type { Position } from "../storage/schema.ts";
import type { ToDeviceForReaders } from "../to-device/api.ts";

/** The most messages that one answer has, as the spec recommends; the rest come with the next. */
export const MESSAGES_AT_ONCE = 100;

export type ToDeviceSection = {
  events: JsonObject[];
  /** What the answer's token has to say: after this come the messages that did not fit. */
  upTo: Position;
};

/**
 * What was sent to the device, for any kind of sync. Asked twice for the same, it answers the same: nothing is removed
 * before the client has come back with the token, which is told to `ToDeviceForReaders.delivered`.
 * @param limit - the most messages that one answer may have
 */
export async function toDeviceSection(
  toDevice: Pick<ToDeviceForReaders, "messages">,
  { userId, deviceId }: Requester,
  span: { after: Position; upTo: Position; limit: number },
): Promise<ToDeviceSection> {
  // Messages are for devices: an application service that is none here is sent them in its transactions.
  if (deviceId === undefined) return { events: [], upTo: span.upTo };
  const { messages, upTo } = await toDevice.messages(userId, deviceId, span);
  return { events: messages.map(({ event }) => event), upTo };
}
