/*
 * matrix-js-sdk with Rust crypto as a page loads it in a test, from the page's own origin. The page that is shipped
 * has no crypto.
 */

import { decodeBase64, encodeUnpaddedBase64 } from "matrix-js-sdk/lib/base64.js";
import { decodeRecoveryKey } from "matrix-js-sdk/lib/crypto-api/index.js";
import { createClient } from "../../../../src/ui/sdk.ts";
import { baseUrl, type Credentials, Device } from "./device.ts";
import { compareEmoji, scanCode } from "./verification.ts";

const password = (username: string) => `the password of ${username}`;

/** Waits until the page has its service worker, and this the page's worker. */
async function homeserverAnswers(): Promise<void> {
  const container = navigator.serviceWorker;
  if (container.controller === null) {
    await new Promise((resolve) => container.addEventListener("controllerchange", resolve, { once: true }));
  }
  while (!(await fetch(`${baseUrl()}/_matrix/client/versions`)).ok);
}

/** Makes an account, with its first device. */
async function signUp(username: string, name: string): Promise<Device> {
  const answer = await createClient({ baseUrl: baseUrl() }).registerRequest({
    username,
    password: password(username),
    initial_device_display_name: name,
    auth: { type: "m.login.dummy" },
  });
  return new Device(name, answer as Credentials);
}

/** Makes another device of an account. */
async function logIn(username: string, name: string): Promise<Device> {
  const answer = await createClient({ baseUrl: baseUrl() }).loginRequest({
    type: "m.login.password",
    identifier: { type: "m.id.user", user: username },
    password: password(username),
    initial_device_display_name: name,
  });
  return new Device(name, answer);
}

/** A device that was started in an earlier page, where it has kept its keys. */
const comeAgain = (name: string, credentials: Credentials) => new Device(name, credentials);

/** Unpadded, as all binary data in Matrix. */
const base64 = (data: ArrayBuffer | Uint8Array) => encodeUnpaddedBase64(new Uint8Array(data));

const devices = {
  homeserverAnswers,
  signUp,
  logIn,
  comeAgain,
  compareEmoji,
  scanCode,
  decodeRecoveryKey,
  base64,
  bytes: (text: string) => new Uint8Array(decodeBase64(text)),
};

declare global {
  interface Window {
    devices: typeof devices;
  }
}
window.devices = devices;
