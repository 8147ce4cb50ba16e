import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { call } from "./support/client-in-page.ts";
import { launchBrowser } from "./support/launch-browser.ts";
import { Person } from "./support/person.ts";
import { listedByPage, watchShade } from "./support/shade.ts";
import { type Watch, watchBrowser } from "./support/watch-browser.ts";

declare global {
  interface Window {
    /** How often this tab has shown one. */
    notificationsShown: number;
  }
}

type Shown = { title: string; body: string; room: string };

const WATCH = "/_hearth/v1/notifications";

/** The chapters build on one another: each goes on where the one before it ended. */
describe("notifications of the browser", () => {
  const url = inject("distUrl");
  const base = url.replace(/\/$/, "");
  let context: BrowserContext;
  let watch: Watch;
  let alice: Person;
  /** Another tab of alice, and a page that has nothing to do with any of it. */
  let second: Person;
  let elsewhere: Page;
  let bob: { token: string };
  const rooms = { one: "", two: "" };

  /** Lets a page know whether somebody looks at it: playwright has all of them believe that. */
  const honest = async (page: Page): Promise<Page> => {
    const session = await context.newCDPSession(page);
    await session.send("Emulation.setFocusEmulationEnabled", { enabled: false });
    return page;
  };
  const openTab = async (): Promise<Person> => {
    const page = await context.newPage();
    await page.goto(url);
    return new Person(await honest(page));
  };
  const ask = (who: { token?: string }, method: string, path: string, body: unknown = {}) =>
    alice.page.evaluate(call, { base, ...who, method, path, body });
  const bobSays = async (roomId: string, body: string) => {
    const path = `rooms/${encodeURIComponent(roomId)}/send/m.room.message/${crypto.randomUUID()}`;
    await ask(bob, "PUT", path, { msgtype: "m.text", body });
  };
  /** Waits until just these are shown, in whatever order. */
  const shows = async (wanted: Shown[]) => {
    const sorted = (shown: Shown[]) => shown.map((one) => JSON.stringify(one)).sort();
    await expect.poll(async () => sorted(await alice.page.evaluate(listedByPage))).toEqual(sorted(wanted));
  };
  const look = (person: Person) => person.page.bringToFront();
  /** The tabs hear of it a moment after the browser has been told; until then what comes counts as seen. */
  const lookAway = async () => {
    await elsewhere.bringToFront();
    await alice.page.waitForFunction(
      async () => {
        const { held } = await navigator.locks.query();
        return !held?.some(({ name }) => name?.startsWith("hearth-viewing:"));
      },
      undefined,
      { polling: 50 },
    );
  };

  beforeAll(async () => {
    context = await launchBrowser();
    await context.grantPermissions(["notifications"], { origin: new URL(url).origin });
    await context.addInitScript(watchShade);
    watch = watchBrowser(context, url);
    elsewhere = await honest(await context.newPage());
    alice = await openTab();
    await alice.signUp("alice", "the password of alice");
    const registered = await ask({}, "POST", "register", {
      username: "bob",
      password: "the password of bob",
      auth: { type: "m.login.dummy" },
    });
    bob = { token: String(registered.access_token) };
    rooms.one = await alice.createRoom("One");
    rooms.two = await alice.createRoom("Two");
    await alice.invite("bob");
    await ask(bob, "POST", `join/${encodeURIComponent(rooms.two)}`);
    await alice.openRoom(rooms.one);
    await alice.invite("bob");
    await ask(bob, "POST", `join/${encodeURIComponent(rooms.one)}`);
  });
  afterAll(() => context.close());
  afterEach(() => expect(watch.errors.splice(0)).toEqual([]));

  test("are shown once somebody wants them, of what comes while nobody looks", async () => {
    // What was there before it first asked is not shown.
    const firstAnswer = alice.page.waitForResponse((response) => response.url().includes(WATCH));
    await alice.turnNotificationsOn();
    await firstAnswer;
    await lookAway();
    await bobSays(rooms.one, "Are you there?");
    await shows([{ title: "bob (One)", body: "Are you there?", room: rooms.one }]);
  });

  test("are not shown of a room that is looked at, and go when it is read", async () => {
    await look(alice);
    await alice.sees("Are you there?");
    await shows([]);
    await bobSays(rooms.one, "So you are.");
    await alice.sees("So you are.");
    // What comes later in another room is shown: so the one before has had its chance.
    await bobSays(rooms.two, "And here?");
    await shows([{ title: "bob (Two)", body: "And here?", room: rooms.two }]);
  });

  test("open the room when they are clicked", async () => {
    await lookAway();
    const [worker] = context.serviceWorkers();
    const userId = await alice.userId();
    // Nobody can click on them in a browser without a screen. The event is the one that the browser makes, of a
    // notification with the same data.
    await worker!.evaluate(
      async (data) => {
        const scope = globalThis as unknown as {
          registration: ServiceWorkerRegistration;
          dispatchEvent: (event: Event) => void;
          NotificationEvent: new (name: string, init: { notification: Notification }) => Event;
        };
        const deadline = Date.now() + 20_000;
        let notification: Notification | undefined;
        while (notification === undefined) {
          if (Date.now() > deadline) throw new Error("nothing is shown by this browser");
          await scope.registration.showNotification("clicked", { tag: "clicked", data });
          [notification] = await scope.registration.getNotifications({ tag: "clicked" });
        }
        scope.dispatchEvent(new scope.NotificationEvent("notificationclick", { notification }));
      },
      { userId, roomId: rooms.two },
    );
    await alice.page.locator(`[data-testid="room"][data-room-id="${rooms.two}"]`).waitFor();
    await look(alice);
    await alice.sees("And here?");
    await shows([]);
  });

  test("are shown once where two tabs are open, each room its own", async () => {
    second = await openTab();
    await second.page.getByTestId("room-list").waitFor();
    await lookAway();
    for (const { page } of [alice, second]) {
      await page.evaluate(() => {
        const { prototype } = ServiceWorkerRegistration;
        const { showNotification } = prototype;
        window.notificationsShown = 0;
        prototype.showNotification = function (...note) {
          window.notificationsShown += 1;
          return showNotification.apply(this, note);
        };
      });
    }
    await bobSays(rooms.two, "Once");
    await bobSays(rooms.one, "Once more");
    await shows([
      { title: "bob (Two)", body: "Once", room: rooms.two },
      { title: "bob (One)", body: "Once more", room: rooms.one },
    ]);
    const counts = [alice, second].map(({ page }) => page.evaluate(() => window.notificationsShown));
    expect((await Promise.all(counts)).sort()).toEqual([0, 2]);
  });

  test("go on when the tab that showed them is closed, and are not shown of a room that is muted", async () => {
    await alice.page.evaluate(
      (roomId) => window.hearthClient!.setRoomMutePushRule("global", roomId, true),
      rooms.one,
    );
    await alice.page.close();
    alice = second;
    await bobSays(rooms.one, "Unheard");
    await bobSays(rooms.two, "Heard");
    await shows([
      { title: "bob (Two)", body: "Heard", room: rooms.two },
      { title: "bob (One)", body: "Once more", room: rooms.one },
    ]);
  });
});
