import { decodeBase64 } from "../../../src/matrix/base64.ts";
import type { Ed25519 } from "../../../src/matrix/ed25519.ts";
import { essentialBytes, sha256 } from "../../../src/matrix/hashes.ts";
import { serverNameOf, type UserId } from "../../../src/matrix/identifiers.ts";
import type { Pdu } from "../../../src/matrix/pdu.ts";
import { encodeUtf8 } from "../../../src/matrix/utf8.ts";
import { AT_A_TIME } from "./reading.ts";
import type { Servers } from "./servers.ts";
import { rules } from "./signed-room.ts";

/** What the floor needs of an event besides its text, found beforehand. */
type Signed = { message: Uint8Array; signature: Uint8Array; publicKey: Uint8Array };

/** The least that can be done with events that come from elsewhere. */
export class Floor {
  readonly #texts: readonly string[];
  readonly #signed: readonly Signed[];
  readonly #ed25519: Ed25519;

  constructor(texts: readonly string[], servers: Servers, ed25519: Ed25519) {
    this.#texts = texts;
    this.#signed = texts.map((text) => signedPart(JSON.parse(text) as Pdu, servers));
    this.#ed25519 = ed25519;
  }

  /**
   * Parses each event, hashes its text and verifies its signature; then stores all texts in one transaction.
   * @returns milliseconds
   */
  async measure(): Promise<number> {
    const name = `floor-${crypto.randomUUID()}`;
    const db = await openTexts(name);
    const started = performance.now();
    for (let first = 0; first < this.#texts.length; first += AT_A_TIME) {
      for (const text of this.#texts.slice(first, first + AT_A_TIME)) {
        JSON.parse(text);
        sha256(encodeUtf8(text));
      }
      const verdicts = await Promise.all(
        this.#signed
          .slice(first, first + AT_A_TIME)
          .map(({ publicKey, message, signature }) => this.#ed25519.verify(publicKey, message, signature)),
      );
      if (verdicts.includes(false)) throw new Error("a signature of the floor is wrong");
    }
    await storeTexts(db, this.#texts);
    const ms = performance.now() - started;
    db.close();
    await settled(indexedDB.deleteDatabase(name));
    return ms;
  }
}

function signedPart(pdu: Pdu, servers: Servers): Signed {
  const server = serverNameOf(pdu.sender as UserId);
  const { keyId, publicKey } = servers.keyOf(server);
  const signature = decodeBase64(pdu.signatures[server]?.[keyId] ?? "");
  if (signature === undefined) throw new Error("an event of the benchmark has no signature");
  return { message: essentialBytes(pdu, rules), signature, publicKey };
}

function openTexts(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore("texts");
  return settled(request);
}

function storeTexts(db: IDBDatabase, texts: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const tx = db.transaction("texts", "readwrite", { durability: "strict" });
    tx.oncomplete = () => resolve();
    tx.onabort = () => reject(tx.error ?? new Error("the floor's transaction was aborted"));
    const store = tx.objectStore("texts");
    texts.forEach((text, i) => {
      store.put(text, i);
    });
  });
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the floor's database could not be opened"));
  });
}
