import type { Position } from "../../../storage/schema.ts";
import type { ToDeviceOutbox } from "../../../to-device/api.ts";
import type { OutgoingMessages } from "../../api.ts";

/** @see OutgoingEdus.messagesFor */
export async function messagesFor(
  toDevice: Pick<ToDeviceOutbox, "waitingFor">,
  server: string,
  after: Position,
  limit: number,
): Promise<OutgoingMessages> {
  const found = await toDevice.waitingFor(server, after, limit + 1);
  const messages = found.slice(0, limit);
  return {
    edus: messages.map(({ content }) => ({ edu_type: "m.direct_to_device", content })),
    upTo: messages.at(-1)?.position ?? after,
    hasMore: found.length > limit,
  };
}
