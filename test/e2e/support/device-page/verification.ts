import {
  CryptoEvent,
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
  const askersVerifier = await asked.startVerification("m.sas.v1");
  await inTime("start of the verification", reached(request, VerificationPhase.Started));
  const othersVerifier = request.verifier;
  if (othersVerifier === undefined) throw new Error("the started verification has no verifier");
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
