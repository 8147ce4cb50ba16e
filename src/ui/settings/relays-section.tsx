import { type FormEvent, useCallback, useEffect, useMemo, useState } from "react";
import { ActionButton } from "../parts/action-button.tsx";
import { Field } from "../parts/field.tsx";
import { useTask } from "../parts/use-task.ts";
import type { Account } from "../state/accounts.ts";
import { type Relay, relaysOf, subscribeToWakeUp } from "../state/relays.ts";

/** Words such as "tried again in 5 seconds" should not grow old before one's eyes. */
const REFRESH_MS = 3_000;

/** The relays of this homeserver, each with how it stands. Shows nothing to who is not its owner. */
export function RelaysSection({ account }: { account: Account }) {
  const server = useMemo(
    () => relaysOf(new URL("./", document.baseURI).href.replace(/\/$/, ""), account),
    [account],
  );
  const [relays, setRelays] = useState<Relay[] | null>(null);
  const [url, setUrl] = useState("");
  const { busy, problem, run } = useTask();
  const refresh = useCallback(
    (signal?: AbortSignal) =>
      server.list(signal).then(setRelays, (error: unknown) => {
        if (!signal?.aborted) console.debug("the relays are asked for again in a moment", error);
      }),
    [server],
  );
  useEffect(() => {
    const end = new AbortController();
    void refresh(end.signal);
    const timer = setInterval(() => void refresh(end.signal), REFRESH_MS);
    return () => {
      clearInterval(timer);
      end.abort();
    };
  }, [refresh]);
  const act = (work: () => Promise<unknown>) => void run(work).then(() => refresh());
  const add = (event: FormEvent) => {
    event.preventDefault();
    if (url.trim() === "" || busy) return;
    act(async () => {
      await server.add(url);
      setUrl("");
    });
  };
  if (relays === null) return null;
  return (
    <section data-testid="relays">
      <h3>Relays</h3>
      <p className="facts-note">
        A relay gives this homeserver an address, keeps what comes while it is closed, and can read no
        encrypted room.
      </p>
      <ul className="relays">
        {relays.map((relay) => (
          <li key={relay.url} data-testid="relay" data-connection={relay.connection}>
            <strong>{relay.name || relay.url}</strong> <span>{relay.words}</span>
            <div className="relay-actions">
              {relay.connection !== "connected" && (
                <ActionButton onPress={() => act(() => server.retry(relay.url))}>Try now</ActionButton>
              )}
              <ActionButton onPress={() => act(() => server.setClientApi(relay.url, !relay.client_api))}>
                {relay.client_api ? "Let no other device log in" : "Let other devices log in"}
              </ActionButton>
              <WakeUpButton relay={relay} setWakeUp={(with_) => act(() => with_(server.setWakeUp))} />
              {relay.added === "owner" && (
                <ActionButton onPress={() => act(() => server.remove(relay.url))}>Remove</ActionButton>
              )}
            </div>
          </li>
        ))}
      </ul>
      <form className="field-row" onSubmit={add}>
        <Field
          label="Add a relay"
          placeholder="https://relay.example.org"
          value={url}
          onChange={setUrl}
          problem={problem}
          inputTestId="relay-url"
        />
        <ActionButton type="submit" isDisabled={url.trim() === "" || busy}>
          Add
        </ActionButton>
      </form>
    </section>
  );
}

type SetWakeUp = (url: string, subscription: PushSubscriptionJSON | null) => Promise<void>;

function WakeUpButton({
  relay: { url, wake_up: isOn, wake_up_key: key },
  setWakeUp,
}: {
  relay: Relay;
  setWakeUp: (task: (set: SetWakeUp) => Promise<void>) => void;
}) {
  if (isOn) {
    return <ActionButton onPress={() => setWakeUp((set) => set(url, null))}>Do not wake me</ActionButton>;
  }
  if (key === undefined || !("PushManager" in window)) return null;
  const subscribe = () => setWakeUp(async (set) => set(url, await subscribeToWakeUp(key)));
  return <ActionButton onPress={subscribe}>Tell me when mail comes</ActionButton>;
}
