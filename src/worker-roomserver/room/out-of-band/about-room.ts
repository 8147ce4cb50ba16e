import type { JsonObject } from "../../../matrix/json.ts";
import type { Storage } from "../../storage/api.ts";
import type { Nid } from "../../storage/schema.ts";

/** What is kept of a room that is not known here, with the membership that somebody has in it. */
export type AboutRoom = { version: string; state: readonly JsonObject[] };

/** As text, for MembershipRow. */
export const aboutRoom = (about: AboutRoom): string => JSON.stringify(about);

/** One row. @returns undefined where the membership is one that the room has told, or none */
export async function readAbout(storage: Storage, userId: string, room: Nid): Promise<AboutRoom | undefined> {
  const user = await storage.names.find(userId);
  if (user === undefined) return undefined;
  await storage.settled();
  const text = (await storage.get("memberships", [user, room]))?.s;
  if (text === "") return { version: "", state: [] };
  return text === undefined ? undefined : (JSON.parse(text) as AboutRoom);
}
