export type NewRoom = { name: string; topic: string; access: "private" | "public"; invite: string[] };

/**
 * The body of the request that makes a room. One guest and no name make a conversation of equals.
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom
 */
export function newRoomOptions({ name, topic, access, invite }: NewRoom) {
  const direct = name.trim() === "" && invite.length === 1 && access === "private";
  const preset =
    access === "public"
      ? ("public_chat" as const)
      : direct
        ? ("trusted_private_chat" as const)
        : ("private_chat" as const);
  return {
    preset,
    invite,
    ...(name.trim() === "" ? {} : { name: name.trim() }),
    ...(topic.trim() === "" ? {} : { topic: topic.trim() }),
    ...(direct ? { is_direct: true } : {}),
  };
}
