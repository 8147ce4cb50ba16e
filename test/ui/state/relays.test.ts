import { expect, test } from "vitest";
import { relaysOf } from "../../../src/ui/state/relays.ts";

function server(answer: () => Response = () => Response.json({})) {
  const asked: [method: string, url: string, body: unknown, token: string | null][] = [];
  const fetch = async (url: string | URL | Request, init: RequestInit = {}) => {
    const body = init.body === undefined ? undefined : JSON.parse(String(init.body));
    asked.push([init.method!, String(url), body, new Headers(init.headers).get("Authorization")]);
    return answer();
  };
  return { asked, relays: relaysOf("https://home.example", { accessToken: "t" }, fetch) };
}

const path = "https://home.example/_hearth/v1/relays";
const url = "https://relay.example";
const named = `${path}/https%3A%2F%2Frelay.example`;

test("the page asks its homeserver about its relays", async () => {
  const { asked, relays } = server();
  expect(await relays.list()).toEqual([]);
  await relays.add("relay.example");
  await relays.remove(url);
  await relays.retry(url);
  await relays.setClientApi(url, true);
  await relays.setWakeUp(url, null);
  expect(asked).toEqual([
    ["GET", path, undefined, "Bearer t"],
    ["POST", path, { url: "relay.example" }, "Bearer t"],
    ["DELETE", named, undefined, "Bearer t"],
    ["POST", `${named}/retry`, undefined, "Bearer t"],
    ["PUT", named, { client_api: true }, "Bearer t"],
    ["PUT", named, { wake_up: null }, "Bearer t"],
  ]);
});

test("what the homeserver refuses is said as it says it", async () => {
  const { relays } = server(() => Response.json({ error: "A relay is reached by https." }, { status: 400 }));
  await expect(relays.add("x")).rejects.toThrow("A relay is reached by https.");
});
