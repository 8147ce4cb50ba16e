import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type DeviceHandle, type DevicesPage, openDevicesPage } from "./support/devices.ts";

/** What a client writes of a file that it has encrypted: https://spec.matrix.org/v1.19/client-server-api/#sending-encrypted-attachments */
type EncryptedFile = { url: string; key: JsonWebKey; iv: string; hashes: { sha256: string }; v: "v2" };

/** The chapters build on one another: each goes on where the one before it ended. */
describe("files that one person sends another", () => {
  let browser: DevicesPage;
  let alice: DeviceHandle;
  let bob: DeviceHandle;
  let room: string;

  beforeAll(async () => {
    browser = await openDevicesPage();
    alice = await browser.signUp("alice", "alice's phone");
    bob = await browser.signUp("bob", "bob's phone");
    const invited = await bob.evaluate(({ userId }) => userId);
    room = await alice.evaluate(
      (device, invited) => device.createRoom({ encrypted: true, invite: [invited] }),
      invited,
    );
    await bob.evaluate((device, room) => device.acceptInvite(room), room);
    await bob.evaluate((device, room) => device.room(room, true).then(() => undefined), room);
    await alice.evaluate((device, [room, invited]) => device.seesMember(room, invited), [
      room,
      invited,
    ] as const);
  });
  afterAll(() => browser.close());
  afterEach(() => expect(browser.faults.splice(0)).toEqual([]));

  test("an encrypted file is uploaded, and the other decrypts it", async () => {
    const sent = await alice.evaluate(
      async (device, { room, size }) => {
        const { base64 } = window.devices;
        const plain = crypto.getRandomValues(new Uint8Array(size));
        const key = await crypto.subtle.generateKey({ name: "AES-CTR", length: 256 }, true, [
          "encrypt",
          "decrypt",
        ]);
        const iv = new Uint8Array(16); // the lower half counts blocks, and begins at 0
        crypto.getRandomValues(iv.subarray(0, 8));
        const sealed = await crypto.subtle.encrypt({ name: "AES-CTR", counter: iv, length: 64 }, key, plain);
        const { content_uri } = await device.client.uploadContent(new Blob([sealed]), {
          type: "application/octet-stream",
          includeFilename: false,
        });
        const file = {
          url: content_uri,
          key: await crypto.subtle.exportKey("jwk", key),
          iv: base64(iv),
          hashes: { sha256: base64(await crypto.subtle.digest("SHA-256", sealed)) },
          v: "v2",
        };
        const info = { size, mimetype: "text/plain" };
        const content = { msgtype: "m.file", body: "diary.txt", filename: "diary.txt", file, info };
        await device.client.sendMessage(room, content as never);
        return {
          uri: content_uri,
          plain: base64(await crypto.subtle.digest("SHA-256", plain)),
          sealed: file.hashes.sha256,
        };
      },
      { room, size: 50_000 },
    );
    const received = await bob.evaluate(async (device, room) => {
      const { base64, bytes } = window.devices;
      const event = await device.message(room, "diary.txt");
      const file = event.getContent().file as EncryptedFile;
      const response = await fetch(device.mediaUrl(file.url), { headers: device.authorization });
      const sealed = await response.arrayBuffer();
      const key = await crypto.subtle.importKey("jwk", file.key, { name: "AES-CTR" }, false, ["decrypt"]);
      const plain = await crypto.subtle.decrypt(
        { name: "AES-CTR", counter: bytes(file.iv), length: 64 },
        key,
        sealed,
      );
      return {
        type: response.headers.get("content-type"),
        encrypted: event.isEncrypted(),
        uri: file.url,
        stated: file.hashes.sha256,
        sealed: base64(await crypto.subtle.digest("SHA-256", sealed)),
        plain: base64(await crypto.subtle.digest("SHA-256", plain)),
      };
    }, room);
    expect(received).toEqual({
      type: "application/octet-stream",
      encrypted: true,
      uri: sent.uri,
      stated: sent.sealed,
      sealed: sent.sealed,
      plain: sent.plain,
    });
  });

  test("a picture is sent in clear, and the other loads it, whole and small", async () => {
    await alice.evaluate(async (device, room) => {
      const canvas = new OffscreenCanvas(640, 480);
      canvas.getContext("2d")!.fillRect(0, 0, 320, 480);
      const picture = await canvas.convertToBlob({ type: "image/png" });
      const { content_uri } = await device.client.uploadContent(picture, { name: "picture.png" });
      const info = { w: 640, h: 480, size: picture.size, mimetype: "image/png" };
      const content = { msgtype: "m.image", body: "picture.png", url: content_uri, info };
      await device.client.sendMessage(room, content as never);
    }, room);
    const seen = await bob.evaluate(async (device, room) => {
      const { url, info } = (await device.message(room, "picture.png")).getContent();
      const load = async (address: string) => {
        const response = await fetch(address, { headers: device.authorization });
        const blob = await response.blob();
        const { width, height } = await createImageBitmap(blob);
        return { status: response.status, type: blob.type, size: blob.size, width, height };
      };
      return {
        stated: info.size as number,
        whole: await load(device.mediaUrl(url)),
        scaled: await load(device.mediaUrl(url, { width: 320, height: 240, method: "scale" })),
        cropped: await load(device.mediaUrl(url, { width: 96, height: 96, method: "crop" })),
      };
    }, room);
    expect(seen.whole).toEqual({
      status: 200,
      type: "image/png",
      size: seen.stated,
      width: 640,
      height: 480,
    });
    expect(seen.scaled).toMatchObject({ status: 200, width: 320, height: 240 });
    expect(seen.cropped).toMatchObject({ status: 200, width: 96, height: 96 });
  });
});
