import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Network, openNetwork } from "./support/network.ts";
import type { Person } from "./support/person.ts";
import { synapsePython } from "./support/synapse.ts";

const VERSIONS = ["10", "11", "12"];

describe.skipIf(synapsePython === undefined)("rooms that a Synapse and a tab share", () => {
  let network: Network;
  beforeAll(async () => {
    network = await openNetwork();
  });
  afterAll(() => network?.end());

  /** A host with a public room, and a guest in it who is on the other server. */
  async function shared(host: Person, guest: Person, version = "12"): Promise<string> {
    const roomId = await host.createRoom({ preset: "public_chat", room_version: version });
    const joined = await guest.join(roomId, host);
    expect(joined).toMatchObject({ status: 200 });
    await host.sawMembership(roomId, guest, "join");
    return roomId;
  }

  /** Who is where: the host's server comes first. */
  const sides = async (host: "Synapse" | "the tab") => {
    const { sue, hal } = await network.people();
    return host === "Synapse" ? { host: sue, guest: hal } : { host: hal, guest: sue };
  };
  const cases = VERSIONS.flatMap((version) =>
    (["Synapse", "the tab"] as const).map((where) => ({ version, where })),
  );

  test.each(cases)(
    "of version $version on $where: invite, join, talk, leave, come back",
    async ({ version, where }) => {
      const { host, guest } = await sides(where);
      const roomId = await host.createRoom({ preset: "private_chat", room_version: version, name: "Garden" });
      await host.say(roomId, "before you came");
      await host.invite(roomId, guest);
      const { invite_state: stripped } = await guest.isInvited(roomId);
      expect(stripped.events.map(({ type }: { type: string }) => type)).toContain("m.room.name");

      expect(await guest.join(roomId)).toMatchObject({ status: 200 });
      await host.sawMembership(roomId, guest, "join");
      await host.say(roomId, "welcome");
      await guest.hears(roomId, "welcome");
      await guest.say(roomId, "thanks");
      await host.hears(roomId, "thanks");
      const name = await guest.do("GET", `/rooms/${encodeURIComponent(roomId)}/state/m.room.name`);
      expect(name).toEqual({ name: "Garden" });

      await guest.leave(roomId);
      await host.sawMembership(roomId, guest, "leave");
      await host.say(roomId, "not for you");
      await host.invite(roomId, guest);
      await guest.isInvited(roomId);
      expect(await guest.join(roomId)).toMatchObject({ status: 200 });
      await host.sawMembership(roomId, guest, "join");
      await guest.say(roomId, "back again");
      await host.hears(roomId, "back again");
    },
  );

  test.each(["Synapse", "the tab"] as const)("an invite from %s that is refused", async (where) => {
    const { host, guest } = await sides(where);
    const roomId = await host.createRoom({ preset: "private_chat" });
    await host.invite(roomId, guest);
    await guest.isInvited(roomId);
    await guest.leave(roomId);
    await host.sawMembership(roomId, guest, "leave");
    expect((await guest.join(roomId, host)).status).toBe(403);
  });

  test.each(["Synapse", "the tab"] as const)("a public room of %s is joined by its alias", async (where) => {
    const { host, guest } = await sides(where);
    const alias = `garden-${where.length}`;
    const roomId = await host.createRoom({ preset: "public_chat", room_alias_name: alias });
    const joined = await guest.join(`#${alias}:${host.server.serverName}`);
    expect(joined).toMatchObject({ status: 200, json: { room_id: roomId } });
    await host.sawMembership(roomId, guest, "join");
  });

  test.each(["Synapse", "the tab"] as const)(
    "what is redacted in a room of %s is gone on both",
    async (where) => {
      const { host, guest } = await sides(where);
      const roomId = await shared(host, guest);
      for (const [sender, reader] of [
        [host, guest],
        [guest, host],
      ] as const) {
        const eventId = await sender.say(roomId, `a slip of ${sender.userId}`);
        await reader.hears(roomId, `a slip of ${sender.userId}`);
        await sender.redact(roomId, eventId);
        await reader.eventually("the redaction", async () => {
          const found = (await reader.timeline(roomId)).find(({ event_id: id }) => id === eventId);
          return found !== undefined && Object.keys(found.content).length === 0;
        });
      }
    },
  );

  test.each(["Synapse", "the tab"] as const)(
    "who is in one room of %s may come into another",
    async (where) => {
      const { host, guest } = await sides(where);
      const first = await shared(host, guest);
      const restricted = await host.createRoom({
        preset: "private_chat",
        initial_state: [
          {
            type: "m.room.join_rules",
            content: { join_rule: "restricted", allow: [{ type: "m.room_membership", room_id: first }] },
          },
        ],
      });
      expect(await guest.join(restricted, host)).toMatchObject({ status: 200 });
      await host.sawMembership(restricted, guest, "join");
      await guest.say(restricted, "let in");
      await host.hears(restricted, "let in");
      const { sue, hal } = await network.people();
      const stranger = where === "Synapse" ? hal : sue;
      expect((await stranger.join(restricted, host)).status).toBe(403);
    },
  );

  test.each(["Synapse", "the tab"] as const)("who knocks at a room of %s is let in", async (where) => {
    const { host, guest } = await sides(where);
    const roomId = await host.createRoom({
      preset: "private_chat",
      initial_state: [{ type: "m.room.join_rules", content: { join_rule: "knock" } }],
    });
    const via = host.server.serverName;
    await guest.do("POST", `/knock/${encodeURIComponent(roomId)}?via=${via}&server_name=${via}`, {});
    await host.sawMembership(roomId, guest, "knock");
    await host.invite(roomId, guest);
    await guest.isInvited(roomId);
    expect(await guest.join(roomId)).toMatchObject({ status: 200 });
  });

  test.each(["Synapse", "the tab"] as const)("who is banned from a room of %s stays out", async (where) => {
    const { host, guest } = await sides(where);
    const roomId = await shared(host, guest);
    const since = (await guest.sync()).next_batch;
    await host.do("POST", `/rooms/${encodeURIComponent(roomId)}/ban`, { user_id: guest.userId });
    await guest.eventually("the ban", async () => {
      const { rooms } = await guest.do("GET", `/sync?timeout=0&since=${since}`);
      return rooms?.leave?.[roomId] !== undefined;
    });
    expect((await guest.join(roomId, host)).status).toBe(403);
  });

  test.each(["Synapse", "the tab"] as const)(
    "old history of a room of %s is there for who comes late",
    async (where) => {
      const { host, guest } = await sides(where);
      const roomId = await host.createRoom({ preset: "public_chat" });
      const texts = Array.from({ length: 60 }, (_, n) => `message ${n}`);
      for (const text of texts) await host.say(roomId, text);
      expect(await guest.join(roomId, host)).toMatchObject({ status: 200 });
      const seen = new Set<string>();
      await guest.eventually("the first message", async () => {
        let from = "";
        do {
          const path = `/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=20${from && `&from=${from}`}`;
          const { chunk, end } = await guest.do("GET", path);
          for (const { content } of chunk) if (content.body !== undefined) seen.add(content.body);
          from = end ?? "";
        } while (from !== "");
        return seen.has("message 0");
      });
      expect([...seen].sort()).toEqual([...texts].sort());
    },
  );

  test("a room that both write to at once has the same events on both", async () => {
    const { sue, hal } = await network.people();
    const roomId = await shared(sue, hal);
    const both = await Promise.all(
      [sue, hal].flatMap((each) =>
        Array.from({ length: 10 }, (_, n) => each.say(roomId, `${each.userId} ${n}`)),
      ),
    );
    for (const reader of [sue, hal]) {
      await reader.eventually("all of them", async () => {
        const ids = new Set((await reader.timeline(roomId)).map(({ event_id: id }) => id));
        return both.every((id) => ids.has(id));
      });
    }
  });
});
