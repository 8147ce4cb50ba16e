import type { JsonObject } from "../../../../../src/matrix/json.ts";
import type { OutgoingEdus } from "../../../../../src/worker-roomserver/federation/api.ts";
import type { Storage } from "../../../../../src/worker-roomserver/storage/api.ts";

/** Messages for devices elsewhere, as they stand in their store: what the sender takes from there. */
export const storedMessages = (storage: Storage): Pick<OutgoingEdus, "messagesFor" | "messagesTaken"> => ({
  messagesFor: async (server, after, limit) => {
    const range = IDBKeyRange.bound([server, after], [server, []], true);
    const [keys, rows] = await storage.read(["toDeviceOutbox"], (tx) => {
      const store = tx.objectStore("toDeviceOutbox");
      return Promise.all([store.getAllKeys(range, limit + 1), store.getAll(range, limit + 1)]);
    });
    const edus = rows.slice(0, limit).map(({ type, sender, messageId, json }) => ({
      edu_type: "m.direct_to_device",
      content: { type, sender, message_id: messageId, messages: JSON.parse(json) as JsonObject },
    }));
    return { edus, upTo: keys[edus.length - 1]?.[1] ?? after, hasMore: rows.length > limit };
  },
  messagesTaken: (write, server, upTo) =>
    write.delete("toDeviceOutbox", IDBKeyRange.bound([server], [server, upTo])),
});

/** Puts a message into the store, as whoever sends it does. */
export function sendMessage(storage: Storage, server: string, messageId: string): Promise<void> {
  return storage.commit((write) => {
    const position = write.append({ topic: "toDevice", detail: server });
    const row = { type: "m.test", sender: "@alice:here.example", messageId, json: "{}" };
    write.put("toDeviceOutbox", row, [server, position]);
  });
}
