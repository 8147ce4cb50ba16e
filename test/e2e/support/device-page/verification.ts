import {
  CryptoEvent,
  type ShowQrCodeCallbacks,
  type ShowSasCallbacks,
  VerificationPhase,
  type VerificationRequest,
  VerificationRequestEvent,
  type Verifier,
  VerifierEvent,
} from "matrix-js-sdk/lib/crypto-api/index.js";
import type { Device } from "./device.ts";

/** As for what a device waits for. */
const LIMIT = 30_000;

/** Runs a step of a verification, which has a time to be done in. */
async function inTime<T>(step: string, work: Promise<T>): Promise<T> {
  let timer = 0;
  const late = new Promise<never>((_, reject) => {
    timer = window.setTimeout(() => reject(new Error(`no ${step} within ${LIMIT} ms`)), LIMIT);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function reached(request: VerificationRequest, phase: VerificationPhase): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (request.phase === VerificationPhase.Cancelled)
        reject(new Error(`the verification was cancelled: ${request.cancellationCode}`));
      else if (request.phase >= phase) resolve();
      else return;
      request.off(VerificationRequestEvent.Change, look);
    };
    request.on(VerificationRequestEvent.Change, look);
    look();
  });
}

type Agreed = { asked: VerificationRequest; request: VerificationRequest };

/** A verification that both sides are ready for. @param roomId - as for `compareEmoji` */
async function agreed(asker: Device, other: Device, roomId: string | undefined): Promise<Agreed> {
  const received = new Promise<VerificationRequest>((resolve) =>
    other.client.once(CryptoEvent.VerificationRequestReceived, resolve),
  );
  const asked =
    roomId === undefined
      ? await asker.crypto.requestDeviceVerification(other.userId, other.deviceId)
      : await asker.crypto.requestVerificationDM(other.userId, roomId);
  const request = await inTime("request for verification", received);
  await request.accept();
  await inTime("acceptance of the request", reached(asked, VerificationPhase.Ready));
  return { asked, request };
}

/** The verifier of who did not begin. */
async function started(request: VerificationRequest): Promise<Verifier> {
  await inTime("start of the verification", reached(request, VerificationPhase.Started));
  if (request.verifier === undefined) throw new Error("the started verification has no verifier");
  return request.verifier;
}

function emojiOf(verifier: Verifier): Promise<ShowSasCallbacks> {
  const shown = verifier.getShowSasCallbacks();
  if (shown !== null) return Promise.resolve(shown);
  return new Promise((resolve) => verifier.once(VerifierEvent.ShowSas, resolve));
}

const names = (sas: ShowSasCallbacks): string => (sas.sas.emoji ?? []).map(([, name]) => name).join(" ");

export type Verdict = { shownToAsker: string; shownToOther: string; done: boolean };

/**
 * Two devices compare emoji, from the request to the end.
 * @param roomId - where the one asks the other's user; without it, both are devices of one user
 * @param same - whether the people in front of the devices say that the emoji are the same
 */
export async function compareEmoji(
  asker: Device,
  other: Device,
  roomId: string | undefined,
  same: boolean,
): Promise<Verdict> {
  const { asked, request } = await agreed(asker, other, roomId);
  const askersVerifier = await asked.startVerification("m.sas.v1");
  const othersVerifier = await started(request);
  const outcome = Promise.allSettled([askersVerifier.verify(), othersVerifier.verify()]);
  const [askersEmoji, othersEmoji] = await inTime(
    "emoji",
    Promise.all([emojiOf(askersVerifier), emojiOf(othersVerifier)]),
  );
  if (same) await Promise.all([askersEmoji.confirm(), othersEmoji.confirm()]);
  else askersEmoji.mismatch();
  const settled = await inTime("end of the verification", outcome);
  return {
    shownToAsker: names(askersEmoji),
    shownToOther: names(othersEmoji),
    done: settled.every(({ status }) => status === "fulfilled"),
  };
}

function scanOf(verifier: Verifier): Promise<ShowQrCodeCallbacks> {
  const shown = verifier.getReciprocateQrCodeCallbacks();
  if (shown !== null) return Promise.resolve(shown);
  return new Promise((resolve) => verifier.once(VerifierEvent.ShowReciprocateQr, resolve));
}

/**
 * One device scans the code that another device of its user shows.
 * @param isWhole - whether the camera gets all of its bytes right
 * @returns what went wrong, "" if nothing did
 */
export async function scanCode(scanner: Device, shower: Device, isWhole: boolean): Promise<string> {
  const { asked, request } = await agreed(scanner, shower, undefined);
  const code = await request.generateQRCode();
  if (code === undefined) throw new Error("there is no code to be scanned");
  const seen = Uint8ClampedArray.from(code);
  // The last bytes are the secret that only who has seen the code can know.
  if (!isWhole) seen[seen.length - 1]! ^= 1;
  const scannersVerifier = await asked.scanQRCode(seen);
  const scanned = scannersVerifier.verify();
  const outcome = Promise.allSettled([
    scanned,
    inTime("scan", started(request)).then(async (verifier) => {
      const verified = verifier.verify();
      // Somebody has looked at the other device, and it says that it has scanned.
      (await Promise.race([scanOf(verifier), verified.then(() => undefined)]))?.confirm();
      await verified;
    }),
  ]);
  const settled = await inTime("end of the verification", outcome);
  return settled.map((each) => (each.status === "rejected" ? String(each.reason) : "")).join("");
}
