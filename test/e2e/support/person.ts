import type { MatrixClient } from "matrix-js-sdk/lib/matrix.js";
import type { Locator, Page } from "playwright-core";

declare global {
  interface Window {
    /** The page's own hook for people who tinker. */
    hearthClient?: MatrixClient | undefined;
  }
}

/** Somebody in front of a tab: does what a hand would do, and reads what an eye would see. */
export class Person {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async signUp(name: string, password: string): Promise<void> {
    await this.#at("signup-name").fill(name);
    await this.#at("signup-password").fill(password);
    await this.#click(this.#at("signup-submit"));
    await this.#at("room-list").waitFor();
  }

  async startAddingAccount(): Promise<void> {
    await this.#click(this.#at("account-switcher"));
    await this.#click(this.#at("add-account"));
  }

  async switchTo(userId: string): Promise<void> {
    await this.#click(this.#at("account-switcher"));
    await this.#click(this.page.locator(`[data-testid="switch-account"][data-user-id="${userId}"]`));
    await this.page.locator(`[data-testid="account-switcher"][data-user-id="${userId}"]`).waitFor();
    await this.#at("room-list").waitFor();
  }

  async turnNotificationsOn(): Promise<void> {
    await this.#click(this.#at("account-switcher"));
    await this.#click(this.#at("settings"));
    await this.#click(this.page.getByRole("button", { name: "Show them", exact: true }));
    await this.page.locator('[data-testid="notifications-line"][data-setting="on"]').waitFor();
    await this.page.keyboard.press("Escape");
  }

  async userId(): Promise<string> {
    const id = await this.#at("account-switcher").getAttribute("data-user-id");
    if (id === null) throw new Error("nobody is signed in here");
    return id;
  }

  /** @returns the room's id, once the room is open */
  async createRoom(name: string, access: "private" | "public" = "private"): Promise<string> {
    await this.#click(this.#at("create-room"));
    await this.#at("create-room-name").fill(name);
    await this.#click(this.#at(`create-room-${access}`));
    await this.#click(this.#at("create-room-submit"));
    const room = this.#at("room").filter({ hasText: name });
    await room.waitFor();
    const id = await room.getAttribute("data-room-id");
    if (id === null) throw new Error("the open room does not say its id");
    return id;
  }

  /** @param link - or the room's id or address */
  async joinRoom(link: string, roomId: string): Promise<void> {
    await this.#click(this.#at("join-room"));
    await this.#at("join-room-input").fill(link);
    await this.#click(this.#at("join-room-submit"));
    await this.page.locator(`[data-testid="room"][data-room-id="${roomId}"]`).waitFor();
  }

  async openRoom(roomId: string): Promise<void> {
    await this.#click(this.page.locator(`[data-testid="room-item"][data-room-id="${roomId}"]`));
    await this.page.locator(`[data-testid="room"][data-room-id="${roomId}"]`).waitFor();
  }

  async invite(name: string): Promise<void> {
    await this.openMembers();
    await this.#at("invite-input").fill(name);
    await this.#click(this.#at("invite-submit"));
  }

  async acceptInvite(roomId: string): Promise<void> {
    const invite = this.page.locator(`[data-testid="invite"][data-room-id="${roomId}"]`);
    await this.#click(invite.getByTestId("invite-accept"));
    await this.page.locator(`[data-testid="room"][data-room-id="${roomId}"]`).waitFor();
  }

  async openMembers(): Promise<void> {
    if (!(await this.#at("members-panel").isVisible())) await this.#click(this.#at("members"));
    await this.#at("members-panel").waitFor();
  }

  member(userId: string): Locator {
    return this.page.locator(`[data-testid="member"][data-user-id="${userId}"]`);
  }

  /** Writes without sending. */
  async write(text: string): Promise<void> {
    await this.#at("composer").pressSequentially(text);
  }

  /** Sends a message. @returns once the homeserver has taken it */
  async say(text: string): Promise<void> {
    await this.#at("composer").fill(text);
    await this.#at("composer").press("Enter");
    await this.sees(text);
  }

  /** Waits until the open room shows a message that has been sent. */
  async sees(text: string): Promise<void> {
    await this.message(text).and(this.page.locator('[data-status="sent"]')).waitFor();
  }

  message(text: string): Locator {
    return this.#at("message").filter({ has: this.page.getByText(text, { exact: true }) });
  }

  async deleteMessage(text: string): Promise<void> {
    await this.page.bringToFront();
    await this.message(text).hover();
    await this.#click(this.message(text).getByTestId("message-delete"));
    await this.#click(this.#at("delete-confirm"));
    await this.page.locator('[data-testid="message"][data-redacted]').waitFor();
  }

  /** Everything the open room shows, oldest first; a deleted message shows as the word `deleted`. */
  async timeline(): Promise<string[]> {
    return this.#at("message").evaluateAll((messages) =>
      messages.map((message) =>
        message.hasAttribute("data-redacted")
          ? "deleted"
          : (message.querySelector('[data-testid="message-body"]')?.textContent ?? ""),
      ),
    );
  }

  /** What the tab's MatrixClient knows of a room: bodies as in `timeline`, and the joined members' ids. */
  async clientView(roomId: string): Promise<{ bodies: string[]; members: string[] }> {
    return this.page.evaluate((id) => {
      const room = window.hearthClient?.getRoom(id);
      const messages = room?.getLiveTimeline().getEvents() ?? [];
      return {
        bodies: messages
          .filter((event) => event.getType() === "m.room.message")
          .map((event) => (event.isRedacted() ? "deleted" : String(event.getContent().body))),
        members: (room?.getJoinedMembers() ?? []).map((member) => member.userId).sort(),
      };
    }, roomId);
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.#at("room-list").waitFor();
  }

  /** The browser slows tabs down that lie behind another. */
  async #click(target: Locator): Promise<void> {
    await this.page.bringToFront();
    await target.click();
  }

  #at(testId: string): Locator {
    return this.page.getByTestId(testId);
  }
}
