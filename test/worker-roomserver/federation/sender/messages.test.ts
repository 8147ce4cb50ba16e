import { expect, test, vi } from "vitest";
import { sendMessage, storedMessages } from "./support/messages.ts";
import { noEdus, type Rig, senderRig } from "./support/rig.ts";

const ONE = "one.example";

const rigWithMessages = (name?: string) =>
  senderRig({
    edus: (storage) => ({ ...noEdus, ...storedMessages(storage) }),
    ...(name !== undefined && { name }),
  });

const got = ({ servers }: Rig, server = ONE) => servers.edus(server).map(({ content }) => content.message_id);

test("messages to devices elsewhere come once each and in their order, fifty at a time", async () => {
  const rig = await rigWithMessages();
  const ids = Array.from({ length: 120 }, (_, i) => `m${i}`);
  for (const id of ids.slice(0, 60)) await sendMessage(rig.storage, ONE, id);
  await rig.sender.start();
  for (const id of ids.slice(60)) await sendMessage(rig.storage, ONE, id);
  await vi.waitFor(() => expect(got(rig)).toEqual(ids));
  expect(Math.max(...rig.servers.taken.get(ONE)!.map(({ edus }) => edus.length))).toBe(50);
  await vi.waitFor(async () => expect(await rig.storage.getAllKeys("toDeviceOutbox")).toEqual([]));
});

test("those of before wait for a server, whose reader has long gone past them", async () => {
  const first = await rigWithMessages();
  first.servers.down(ONE);
  await first.sender.start();
  await sendMessage(first.storage, ONE, "m0");
  await vi.waitFor(() => expect(first.servers.asked.get(ONE)).toHaveLength(1));
  await first.storage.flushed();
  first.sender.close();
  const second = await rigWithMessages(first.storage.name);
  await second.storage.commit((write) => {
    write.put("readers", second.storage.position, "federation sender");
  });
  await second.sender.start();
  await vi.waitFor(() => expect(got(second)).toEqual(["m0"]));
});

test("a message that comes while another is under way follows it", async () => {
  const rig = await rigWithMessages();
  let letGo: () => void = () => undefined;
  rig.servers.on(ONE, () => new Promise((resolve) => (letGo = () => resolve({ status: 200 }))));
  await rig.sender.start();
  await sendMessage(rig.storage, ONE, "m0");
  await vi.waitFor(() => expect(rig.servers.asked.get(ONE)).toHaveLength(1));
  await sendMessage(rig.storage, ONE, "m1");
  rig.servers.up(ONE);
  letGo();
  await vi.waitFor(() => expect(got(rig)).toEqual(["m0", "m1"]));
});

test("servers are apart, whatever their names begin with", async () => {
  const rig = await rigWithMessages();
  for (const server of ["a.example", "a.example.org", "b"]) await sendMessage(rig.storage, server, server);
  await rig.sender.start();
  for (const server of ["a.example", "a.example.org", "b"]) {
    await vi.waitFor(() => expect(got(rig, server)).toEqual([server]));
  }
});
