import { connect } from "node:net";
import { expect, test } from "vitest";
import { denoFlags, findDeno } from "../../scripts/support/deno.mjs";
import { atTheEnd } from "./support/at-the-end.ts";
import { makeAuthority } from "./support/authority.ts";
import { makeFolder } from "./support/folder.ts";

const main = new URL("../../src/relay/main.ts", import.meta.url).pathname;

/** The real relay, in a process of its own. */
function spawn(args: string[]) {
  const command = new Deno.Command(findDeno(), {
    args: [...denoFlags, main, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  let over = false;
  const status = child.status.finally(() => {
    over = true;
  });
  atTheEnd(async () => {
    if (!over) child.kill("SIGKILL");
    await status;
  });
  const errors = new Response(child.stderr).text();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  return {
    /** The URL that it says it is ready at. */
    async ready(): Promise<string> {
      let text = "";
      for (;;) {
        const found = /ready at (\S+)/.exec(text)?.[1];
        if (found !== undefined) return found;
        const { done, value } = await lines.read();
        if (done) throw new Error(`the relay ended: ${text} ${await errors}`);
        text += value;
      }
    },
    kill: (signal: Deno.Signal) => child.kill(signal),
    /** How it ended, and all that it has logged. */
    async ended() {
      await lines.cancel();
      return { code: (await status).code, errors: await errors };
    },
  };
}

test("it serves the page, says what it is and how it is, and ends when it is told to", async () => {
  const [data, page] = [await makeFolder(), await makeFolder()];
  await Deno.writeTextFile(`${page}/index.html`, "the page");
  const relay = spawn([
    "--data",
    data,
    "--page",
    page,
    "--listen",
    "0",
    "--wake-up-contact",
    "mailto:a@relay.example",
  ]);
  const url = await relay.ready();
  expect(await (await fetch(url)).text()).toBe("the page");
  const info = await (await fetch(`${url}_relay/v1/info`)).json();
  expect(info).toMatchObject({
    name: "localhost",
    link: { websocket: `${url.replace("http", "ws")}_relay/v1/link`, fetch: `${url}_relay/v1/link` },
    wake_up_key: expect.stringMatching(/^[\w-]{87}$/),
    limits: { transaction_bytes: 12e6, retention: 2_592_000_000 },
  });
  expect(info.link.webtransport.certificate_hashes).toHaveLength(2);
  expect(info).not.toHaveProperty("home_suffix");
  expect((await fetch(`${url}_relay/v1/health`)).status).toBe(200);
  expect((await fetch(`${url}_relay/v1/nothing`)).status).toBe(404);
  relay.kill("SIGTERM");
  const { code, errors } = await relay.ended();
  expect(code).toBe(0);
  const events = errors
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).event);
  expect(events).toEqual(["ready", "stopping", "stopped"]);
  await expect(fetch(url)).rejects.toThrow();
});

test("a second relay is told that the port, or the folder, is in use", async () => {
  const [data, other] = [await makeFolder(), await makeFolder()];
  const url = await spawnReady(["--data", data, "--listen", "0"]);
  const { port } = new URL(url);
  const samePort = await spawn(["--data", other, "--listen", port]).ended();
  expect(samePort.code).toBe(3);
  expect(samePort.errors).toContain(
    `hearth-relay: listen: port ${port} of 127.0.0.1 is taken by another program`,
  );
  const sameFolder = await spawn(["--data", data, "--listen", "0"]).ended();
  expect(sameFolder.code).toBe(2);
  expect(sameFolder.errors).toContain(`data: ${data} is in use by another relay`);
});

test("a folder is free again after a relay was killed, and its certificate the same", async () => {
  const data = await makeFolder();
  const hashes = async (url: string) =>
    (await (await fetch(`${url}_relay/v1/info`)).json()).link.webtransport.certificate_hashes;
  const first = spawn(["--data", data, "--listen", "0"]);
  const before = await hashes(await first.ready());
  first.kill("SIGKILL");
  await first.ended();
  expect(await hashes(await spawnReady(["--data", data, "--listen", "0"]))).toEqual(before);
});

test("with a certificate it serves HTTPS beside HTTP, and metrics where they are asked for", async () => {
  const folder = await makeFolder();
  const authority = await makeAuthority();
  const { certificate, key } = await authority.issue("localhost", "127.0.0.1");
  await Deno.writeTextFile(`${folder}/tls.crt`, certificate);
  await Deno.writeTextFile(`${folder}/tls.key`, key);
  const config = [
    `data: ${folder}/data`,
    "listen: 0",
    "federation-listen: 127.0.0.1:0",
    "metrics-listen: 0",
    `tls-certificate: ${folder}/tls.crt`,
    `tls-key: ${folder}/tls.key`,
    "log-level: debug",
  ];
  await Deno.writeTextFile(`${folder}/relay.yaml`, config.join("\n"));
  const relay = spawn(["--config", `${folder}/relay.yaml`]);
  const url = await relay.ready();
  const info = await (await fetch(`${url}_relay/v1/info`)).json();
  expect(info.link.webtransport).not.toHaveProperty("certificate_hashes");
  relay.kill("SIGTERM");
  const { code, errors } = await relay.ended();
  expect(code).toBe(0);
  const ready = errors
    .split("\n")
    .map((line) => JSON.parse(line || "{}"))
    .find(({ event }) => event === "ready");
  expect(ready.listening.split(" ")).toHaveLength(4);
});

test.each([
  [
    ["--tls-certificate", "/nowhere.crt", "--tls-key", "/nowhere.key"],
    "tls-certificate, tls-key: cannot read /nowhere.crt",
  ],
  [["--ca", "/nowhere.pem"], "ca: cannot read /nowhere.pem"],
  [["--page", "/nowhere"], "page: cannot read /nowhere"],
  [["--retention", "for ever"], "--retention: should be a time"],
])("%j keeps it from starting, in a line", async (args, message) => {
  const { code, errors } = await spawn(["--data", await makeFolder(), "--listen", "0", ...args]).ended();
  expect(code).toBe(2);
  expect(
    errors
      .trim()
      .split("\n")
      .filter((line) => !line.startsWith("{")),
  ).toEqual([expect.stringContaining(`hearth-relay: ${message}`)]);
});

test("an idle connection does not keep it from ending", async () => {
  const relay = spawn(["--data", await makeFolder(), "--listen", "0"]);
  const { port } = new URL(await relay.ready());
  const socket = connect(Number(port), "127.0.0.1");
  atTheEnd(() => socket.destroy());
  await new Promise((resolve) => socket.once("connect", resolve));
  relay.kill("SIGTERM");
  expect((await relay.ended()).code).toBe(0);
});

async function spawnReady(args: string[]): Promise<string> {
  return spawn(args).ready();
}
