import { expect, test } from "vitest";
import { openFromNotification } from "../../src/sw/notification-click.ts";
import { pushNote } from "../../src/sw/push-note.ts";

const scope = "https://home.example/hearth/";
const data = { userId: "@me:h", roomId: "!r:h" };

/** Tabs at these URLs, and what they and the browser are told. */
function tabs(...urls: string[]) {
  const told: unknown[] = [];
  const pages = urls.map((url) => ({
    url,
    postMessage: (message: unknown) => told.push([url, message]),
    focus: async () => told.push([url, "focus"]),
  }));
  const clients = {
    matchAll: async () => pages,
    openWindow: async (url: string) => told.push(["open", url]),
  } as unknown as Pick<Clients, "matchAll" | "openWindow">;
  return { told, clients };
}

test("the tab of this folder that was looked at last comes forward and opens the room", async () => {
  const { told, clients } = tabs("https://home.example/other/", `${scope}#/`, `${scope}index.html`);
  await openFromNotification(clients, scope, data);
  expect(told).toEqual([
    [`${scope}#/`, { type: "openRoom", ...data }],
    [`${scope}#/`, "focus"],
  ]);
});

test("a tab is opened at the room where there is none", async () => {
  const { told, clients } = tabs("https://home.example/other/");
  await openFromNotification(clients, scope, data);
  expect(told).toEqual([["open", `${scope}#/room/!r%3Ah`]]);
});

test.each([null, "x", {}, { userId: "@me:h" }, { userId: 1, roomId: "!r:h" }])(
  "a notification with %j is somebody else's",
  async (other) => {
    const { told, clients } = tabs(scope);
    await openFromNotification(clients, scope, other);
    expect(told).toEqual([]);
  },
);

test("that mail waits brings a tab forward, or opens one: there it is taken in", async () => {
  const { told, clients } = tabs(`${scope}#/`);
  await openFromNotification(clients, scope, pushNote[1]!.data);
  expect(told).toEqual([[`${scope}#/`, "focus"]]);
  const none = tabs();
  await openFromNotification(none.clients, scope, pushNote[1]!.data);
  expect(none.told).toEqual([["open", scope]]);
});
