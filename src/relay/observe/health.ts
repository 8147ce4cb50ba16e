/** What has to be well for the relay to be of use: each says what is wrong, or nothing. */
export type HealthChecks = { [name: string]: () => Promise<string | undefined> | string | undefined };

const longest = 2_000;
/** Anybody may ask: the answer is found anew at most this often, in milliseconds. */
const fresh = 1_000;

/**
 * Answers `GET /_relay/v1/health`: 200, or 503 with what is wrong.
 * @param now - milliseconds
 */
export function openHealth(checks: HealthChecks, now: () => number): () => Promise<Response> {
  let last: { at: number; reasons: Promise<{ [name: string]: string }> } | undefined;
  return async () => {
    if (last === undefined || now() - last.at >= fresh) last = { at: now(), reasons: reasonsOf(checks) };
    const reasons = await last.reasons;
    const ok = Object.keys(reasons).length === 0;
    const headers = { "cache-control": "no-store" };
    return Response.json(ok ? { status: "ok" } : { status: "failing", reasons }, {
      status: ok ? 200 : 503,
      headers,
    });
  };
}

async function reasonsOf(checks: HealthChecks): Promise<{ [name: string]: string }> {
  const found = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await problemOf(check)] as const),
  );
  return Object.fromEntries(
    found.flatMap(([name, problem]) => (problem === undefined ? [] : [[name, problem]])),
  );
}

async function problemOf(check: HealthChecks[string]): Promise<string | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve("does not answer"), longest);
  });
  try {
    return await Promise.race([Promise.resolve().then(check), late]);
  } catch {
    // What exactly is for the log of the part itself: this answer is for everybody.
    return "fails";
  } finally {
    clearTimeout(timer);
  }
}
