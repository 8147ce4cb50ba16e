import * as v from "valibot";
import { objectOf } from "../../../../door/schemas.ts";
import { domainOf } from "../../../../matrix/domain.ts";
import { isUserId } from "../../../../matrix/identifiers.ts";
import type { TakeContent } from "./parts.ts";

/** Updates that one may follow: servers that are one process name one. */
const MOST_PREVIOUS = 100;
const MAX_DEVICE_ID = 255;

const streamId = v.pipe(v.number(), v.safeInteger());
const updateContent = objectOf({
  user_id: v.string(),
  device_id: v.pipe(v.string(), v.maxLength(MAX_DEVICE_ID)),
  device_display_name: v.nullish(v.string(), ""),
  stream_id: streamId,
  prev_id: v.nullish(v.pipe(v.array(streamId), v.maxLength(MOST_PREVIOUS)), []),
  deleted: v.nullish(v.boolean(), false),
  keys: v.optional(v.unknown()),
});

/** @see https://spec.matrix.org/v1.19/server-server-api/#device-management */
export const takeDeviceUpdate: TakeContent = async ({ userKeys, servers }, origin, content) => {
  const update = v.parse(updateContent, content);
  const userId = update.user_id;
  if (!isOf(userId, origin) || !(await servers.isSharedHere(userId))) return;
  await userKeys.deviceUpdated(userId, {
    deviceId: update.device_id,
    streamId: update.stream_id,
    previous: update.prev_id,
    device: update.deleted ? "deleted" : { keys: update.keys, displayName: update.device_display_name },
  });
};

const crossSigningContent = objectOf({
  user_id: v.string(),
  master_key: v.optional(v.unknown()),
  self_signing_key: v.optional(v.unknown()),
});

/** @see https://spec.matrix.org/v1.19/server-server-api/#end-to-end-encryption */
export const takeCrossSigning: TakeContent = async ({ userKeys, servers }, origin, content) => {
  const { user_id: userId, ...keys } = v.parse(crossSigningContent, content);
  if (!isOf(userId, origin) || !(await servers.isSharedHere(userId))) return;
  await userKeys.crossSigningUpdated(userId, {
    master: keys.master_key,
    selfSigning: keys.self_signing_key,
  });
};

const isOf = (userId: string, origin: string) => isUserId(userId) && domainOf(userId) === origin;
