import type { JsonObject } from "./json.ts";
import type { Pdu } from "./pdu.ts";

/** A device as its gateway knows it. `data`: of its pusher, with the URL. `ts`: milliseconds since 1970. */
export type GatewayDevice = { appId: string; pushkey: string; ts: number; data: JsonObject };

/** An event to notify of, and what the recipient calls what it is about. */
export type NotifiedEvent = {
  eventId: string;
  roomId: string;
  pdu: Pdu;
  tweaks: JsonObject;
  senderName?: string;
  roomName?: string;
  roomAlias?: string;
};

/** The path that the URL of every gateway ends in. */
export const NOTIFY_PATH = "/_matrix/push/v1/notify";

/**
 * The body of a request to a push gateway about an event. A pusher of the format `event_id_only` gets no more than that
 * needs: not who has sent what, and not what the rules make of it.
 * @param unread - how many events the user has not read
 * @see https://spec.matrix.org/v1.19/push-gateway-api/#post_matrixpushv1notify
 */
export function eventNotification(
  event: NotifiedEvent,
  to: { userId: string; device: GatewayDevice; unread: number },
): JsonObject {
  const { eventId, roomId, pdu, tweaks } = event;
  const least: JsonObject = {
    event_id: eventId,
    room_id: roomId,
    prio: priority(event),
    // A count of zero is to be left out.
    counts: to.unread > 0 ? { unread: to.unread } : {},
  };
  if (to.device.data.format === "event_id_only") return body(least, to.device, undefined);
  const isMembership = pdu.type === "m.room.member" && pdu.state_key !== undefined;
  return body(
    {
      ...least,
      type: pdu.type,
      sender: pdu.sender,
      content: pdu.content,
      ...(isMembership && { user_is_target: pdu.state_key === to.userId }),
      ...(event.senderName !== undefined && { sender_display_name: event.senderName }),
      ...(event.roomName !== undefined && { room_name: event.roomName }),
      ...(event.roomAlias !== undefined && { room_alias: event.roomAlias }),
    },
    to.device,
    tweaks,
  );
}

/**
 * The body of a request that only brings the count up to date. Unlike in one about an event, a count of zero is told: a
 * gateway that is not told of it leaves the old number on the app's icon (so with Sygnal for APNS, and Synapse tells it).
 */
export function countNotification(device: GatewayDevice, unread: number): JsonObject {
  return body({ prio: "low", counts: { unread } }, device, undefined);
}

/** The pushkeys that a gateway's answer says are not valid any more. */
export function rejectedPushkeys(answer: JsonObject): string[] {
  const { rejected } = answer;
  return Array.isArray(rejected) ? rejected.filter((pushkey) => typeof pushkey === "string") : [];
}

/** What makes a sound or is marked is urgent; what is encrypted may be. */
function priority({ pdu, tweaks }: NotifiedEvent): "high" | "low" {
  const isUrgent = Boolean(tweaks.sound) || Boolean(tweaks.highlight) || pdu.type === "m.room.encrypted";
  return isUrgent ? "high" : "low";
}

function body(notification: JsonObject, device: GatewayDevice, tweaks: JsonObject | undefined): JsonObject {
  const { url: _, ...data } = device.data;
  const told: JsonObject = {
    app_id: device.appId,
    pushkey: device.pushkey,
    pushkey_ts: Math.floor(device.ts / 1000),
    data,
    ...(tweaks !== undefined && { tweaks }),
  };
  return { notification: { ...notification, devices: [told] } };
}
