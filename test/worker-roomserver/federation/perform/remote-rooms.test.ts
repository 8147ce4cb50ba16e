import { expect, test } from "vitest";
import { FederationError } from "../../../../src/worker-roomserver/federation/api.ts";
import { remoteRooms } from "../../../../src/worker-roomserver/federation/perform/remote-rooms.ts";

const step = { roomId: "!a:b.example", userId: "@a:own.example", content: {} };

/** Of which the others are never got to. */
function roomsOver(request: (destination: string) => Promise<never>, now = () => 0) {
  const client = { request: ({ destination }: { destination: string }) => request(destination) };
  return remoteRooms({ client, now, serverName: "own.example" } as never);
}

test("who has events of a room that is being joined can wait until that is over", async () => {
  let fail: (error: Error) => void = () => undefined;
  const rooms = roomsOver(
    () =>
      new Promise((_, reject) => {
        fail = reject;
      }),
  );
  const order: string[] = [];
  const join = rooms.join({ ...step, servers: ["b.example"] }).catch(() => order.push("failed"));
  await rooms.joined("!other:b.example");
  const waiting = rooms.joined(step.roomId).then(() => order.push("over"));
  expect(order).toEqual([]);
  fail(new FederationError("unreachable", "b.example", "It is down."));
  await Promise.all([join, waiting]);
  expect(order).toEqual(["failed", "over"]);
});

test("no further server is asked when that has taken long", async () => {
  let time = 0;
  const asked: string[] = [];
  const rooms = roomsOver(
    async (destination) => {
      asked.push(destination);
      time += 70_000;
      throw new FederationError("timeout", destination, "It takes its time.");
    },
    () => time,
  );
  const servers = ["b.example", "c.example", "d.example"];
  await expect(rooms.knock({ ...step, servers })).rejects.toMatchObject({ status: 504 });
  expect(asked).toEqual(["b.example", "c.example"]);
});
