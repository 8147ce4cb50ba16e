import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { encodeBase64 } from "../../../../src/matrix/base64.ts";
import { chooseEd25519 } from "../../../../src/matrix/ed25519.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { ReceivedEvent } from "../../../../src/matrix/received-event.ts";
import { encodeUtf8 } from "../../../../src/matrix/utf8.ts";
import { authorizationFor } from "../../../../src/matrix/x-matrix.ts";
import { FederationError } from "../../../../src/worker-roomserver/federation/api.ts";
import type { FederationContext } from "../../../../src/worker-roomserver/federation/context.ts";
import { ServerKeyRing } from "../../../../src/worker-roomserver/federation/keys/key-ring.ts";
import { makeReceiver } from "../../../../src/worker-roomserver/federation/receiver/make-receiver.ts";
import type { Mail } from "../../../../src/worker-roomserver/relay/api.ts";
import { StoredInbox } from "../../../../src/worker-roomserver/relay/inbox.ts";
import { roomQueries } from "../../../../src/worker-roomserver/room/further.ts";
import { diesAfter } from "../../room/input/delivery.ts";
import { testRooms } from "../../support/room.ts";
import { dump } from "../../support/storage.ts";
import { TestNetwork } from "../support/network.ts";
import { Peer } from "../support/peer.ts";
import { say } from "../support/peer-and-node.ts";
import type { PeerRoom } from "../support/peer-room.ts";

const ed25519 = await chooseEd25519(crypto.subtle);

/** One life of what takes in mail, over a room server alone. Nobody can be asked for anything. */
async function life(name: string | undefined, effects: string[]) {
  const server = await testRooms(name);
  const { storage, rooms, parts, serverName } = server;
  const inbox = new StoredInbox(storage, Date.now);
  const client = {
    request: async ({ destination }: { destination: string }) => {
      throw new FederationError("unreachable", destination, "There is no network.");
    },
  };
  const receiver = makeReceiver(
    {
      ...{ storage, serverName, ed25519, inbox, client, now: Date.now },
      ...{ roomInput: rooms.input, roomQueries: roomQueries(parts) },
      keyRing: new ServerKeyRing({ storage, serverName, ed25519, client, now: Date.now } as never),
      destinations: { onReady: () => () => undefined },
      later: (ms: number, call: () => void) => {
        const timer = setTimeout(call, ms);
        return () => clearTimeout(timer);
      },
    } as unknown as FederationContext,
    {
      takeEdu: async (origin, { content }) => {
        await storage.settled();
        effects.push(`${origin} ${content.n}`);
      },
      rescinded: async () => false,
      isInRoom: async () => true,
      joined: async () => undefined,
      isAllowed: async () => ({ isAllowed: true }),
    },
  );
  return { server, inbox, receiver };
}

type Life = Awaited<ReturnType<typeof life>>;

async function takeIn(room: PeerRoom, { server }: Life): Promise<void> {
  const state = room.stateBefore() as ReceivedEvent[];
  const event = room.events.get(room.extremities[0]!) as ReceivedEvent;
  const authChain = room.authChain([...state, event]) as ReceivedEvent[];
  await server.rooms.input.takeInRoom({ version: room.version, event, state, authChain });
}

async function transaction(
  peer: Peer,
  to: string,
  n: number,
  pdus: readonly { json: string }[],
): Promise<Mail> {
  const body = `{"edus":[{"edu_type":"m.test","content":{"n":${n}}}],"pdus":[${pdus.map(({ json }) => json).join(",")}]}`;
  const uri = `/_matrix/federation/v1/send/${n}`;
  const signed = { method: "PUT", uri, origin: peer.serverName, destination: to };
  const content = JSON.parse(body) as JsonObject;
  return {
    ...{ origin: peer.serverName, transactionId: `${n}`, method: "PUT", uri, receivedAt: Date.now() },
    authorization: [await authorizationFor({ ...signed, content }, peer.keys.current)],
    body: encodeBase64(encodeUtf8(body)),
  };
}

/** The same request with a header that is written otherwise, as when another relay brings it; or forged. */
const rewritten = (mail: Mail): Mail => ({
  ...mail,
  authorization: mail.authorization.map((text) => `${text} `),
});
const forged = (mail: Mail): Mail => ({ ...mail, body: encodeBase64(encodeUtf8('{"edus":[],"pdus":[]}')) });

test("property: each transaction has its effect once, whoever brings it how often, and whenever the leader dies", {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat({ max: 7 }), fc.constantFrom("live", "mail", "other", "forged")), {
        maxLength: 16,
      }),
      fc.array(fc.nat({ max: 24 }), { minLength: 1, maxLength: 3 }),
      async (first, deaths) => {
        const effects: string[][] = [[]];
        let current = await life(undefined, effects[0]!);
        const { serverName, storage } = current.server;
        const peers = [await Peer.open(new TestNetwork()), await Peer.open(new TestNetwork())];
        const room = await peers[0]!.createRoom();
        const bob = peers[1]!.user("bob");
        await room.send({
          type: "m.room.member",
          sender: bob,
          state_key: bob,
          content: { membership: "join" },
        });
        await takeIn(room, current);
        vi.spyOn(console, "warn").mockImplementation(() => undefined);
        // What could not be taken in is tried again with what waits, and comes in all the same.
        const failures = vi.spyOn(console, "error");
        failures.mockClear();
        const bodies: string[] = [];
        let lastPdus: { json: string }[] = [];
        const mails: Mail[] = [];
        for (let n = 0; n < 8; n++) {
          const pdus: { json: string }[] = [];
          for (let i = 0; i <= n % 3; i++) {
            bodies.push(`${n} ${i}`);
            pdus.push(await say(room, `${n} ${i}`));
          }
          mails.push(await transaction(peers[n % 2]!, serverName, n, n % 2 === 0 ? pdus : []));
          if (n % 2 === 1)
            mails[n - 1] = await transaction(peers[0]!, serverName, n - 1, [...lastPdus, ...pdus]);
          lastPdus = pdus;
        }
        const deliver = async ({ inbox, receiver }: Life, [n, how]: [number, string]) => {
          const mail = mails[n]!;
          if (how === "live") await receiver.deliver(mail, 1);
          else await inbox.add(how === "mail" ? mail : how === "other" ? rewritten(mail) : forged(mail));
        };
        for (const units of deaths) {
          await current.receiver.start();
          const dead = diesAfter(current.server.storage, units);
          // Who is not answered because the leader has died waits for ever.
          for (const one of first) void deliver(current, one).catch(() => undefined);
          await Promise.race([dead, quiet(current)]);
          await end(current);
          current.receiver.close();
          current.inbox.close();
          effects.push([]);
          current = await life(storage.name, effects.at(-1)!);
        }
        await current.receiver.start();
        await Promise.all(mails.map((_, n) => deliver(current, [n, "mail"])));
        await vi.waitFor(
          async () => {
            const stores = await dump(current.server.storage);
            expect([stores.mail!.length, stores.waitingEvents!.length]).toEqual([0, 0]);
          },
          { timeout: 20_000, interval: 20 },
        );
        const nid = (await current.server.rooms.nid(room.roomId))!;
        const { events } = await current.server.rooms.timeline(nid, { after: 0, upTo: 1e9, limit: 1000 });
        const shown = events.flatMap(({ pdu }) => pdu.content.body ?? []);
        expect(shown.toSorted()).toEqual(bodies.toSorted());
        expect(new Set(effects.flat()).size).toBe(8);
        // Only what a crash has cut off is done again. What a leader does that is dead already says nothing.
        expect(effects.at(-1)!.length).toBe(new Set(effects.at(-1)).size);
        expect(failures).not.toHaveBeenCalled();
        current.receiver.close();
      },
    ),
    { numRuns: 40, endOnFailure: true },
  );
});

/** What had more units left than there was to do dies as well: nothing more reaches the disk. */
async function end({ server: { storage } }: Life): Promise<void> {
  storage.commit = () => new Promise(() => undefined);
  await storage.settled();
}

/** Resolves when nothing is written for a while in which everything could have been. */
async function quiet({ server: { storage }, inbox }: Life): Promise<void> {
  await vi
    .waitFor(
      async () => {
        const position = storage.position;
        await storage.flushed();
        expect((await inbox.waiting()).length).toBe(0);
        expect(storage.position).toBe(position);
      },
      { timeout: 3_000, interval: 10 },
    )
    .catch(() => undefined);
}
