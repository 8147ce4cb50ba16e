import type { UserId } from "../../../src/matrix/identifiers.ts";
import type { Requester } from "../../../src/worker-roomserver/node/requester.ts";

/** Whoever is called so, on the server `h`. */
export const requester = (localpart: string): Requester => ({
  userId: `@${localpart}:h` as UserId,
  deviceId: "D",
  kind: "user",
  admin: false,
});

/** The error that a call failed with, as a client gets to see it. */
export async function refusal(call: Promise<unknown>): Promise<{ errcode: string; status: number }> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const { errcode, status } = error as { errcode: string; status: number };
  return { errcode, status };
}
