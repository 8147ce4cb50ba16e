import { authTypesFor } from "../../../src/matrix/auth-events.ts";
import { keyOf, RoomHistory, type State, type ToldEvent } from "./room-history.ts";

/** An event of a story: what it cites comes of where it stands. */
export type StoryEvent = Omit<ToldEvent, "auth" | "prev">;

/**
 * Plays a room: each event cites the state before it, which is resolved where the room has forked.
 * @param edges - chains of names, each event followed by one that comes before it: "END A START", "END B START".
 *   Events that could come next are told by name, and without a `ts` of their own have that order's.
 * @returns the state before the event END
 */
export async function play(
  version: string,
  events: readonly StoryEvent[],
  edges: readonly string[],
): Promise<{ history: RoomHistory; end: State; before: ReadonlyMap<string, State> }> {
  const history = new RoomHistory(version);
  const previous = new Map(events.map(({ name }) => [name, new Set<string>()]));
  for (const chain of edges.map((names) => names.split(" "))) {
    chain.slice(1).forEach((name, index) => {
      previous.get(chain[index]!)!.add(name);
    });
  }

  const before = new Map<string, State>();
  const after = new Map<string, State>();
  const waiting = new Map(events.map((event) => [event.name, event]));
  while (waiting.size > 0) {
    const next = [...waiting.values()]
      .filter(({ name }) => [...previous.get(name)!].every((other) => after.has(other)))
      .reduce((a, b) => (a.name < b.name ? a : b));
    waiting.delete(next.name);
    const prev = [...previous.get(next.name)!];
    const state = await merged(
      history,
      prev.map((name) => after.get(name)!),
    );
    const auth = authTypesFor(
      {
        ...next,
        content: next.content ?? {},
        ...(next.stateKey !== undefined && { state_key: next.stateKey }),
      },
      history.rules,
    ).flatMap(([type, stateKey]) => state.get(keyOf(type, stateKey)) ?? []);
    history.tell({ ...next, auth, prev });
    before.set(next.name, state);
    after.set(
      next.name,
      next.stateKey === undefined ? state : new Map(state).set(keyOf(next.type, next.stateKey), next.name),
    );
  }
  return { history, end: before.get("END")!, before };
}

async function merged(history: RoomHistory, states: readonly State[]): Promise<State> {
  if (states.length === 0) return new Map();
  return states.length === 1 ? states[0]! : history.resolve(states);
}

/** What is otherwise in a state than in another, by name; `undefined` in the list stands for what is gone. */
export function changes(from: State, to: State): (string | undefined)[] {
  const keys = new Set([...from.keys(), ...to.keys()]);
  return [...keys].filter((key) => from.get(key) !== to.get(key)).map((key) => to.get(key));
}
