export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = { [name: string]: string | number | boolean | undefined };

/** Lines of JSON: `time`, `level`, `event` (what happened, in few words that stay the same), and fields. */
export type Log = { [L in LogLevel]: (event: string, fields?: LogFields) => void } & {
  /** The same log with these fields in each line. */
  with(fields: LogFields): Log;
};

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];
const longest = 1_000;
/** Nobody should log these; where somebody does, they do not get out. */
const secret = /authorization|cookie|password|secret|token|private|auth$/i;

/** @param write - takes one line, without its end */
export function openLog(least: LogLevel, write: (line: string) => void, now: () => number): Log {
  const from = (common: LogFields): Log => {
    const at =
      (level: LogLevel) =>
      (event: string, fields: LogFields = {}) => {
        if (levels.indexOf(level) < levels.indexOf(least)) return;
        const time = new Date(now()).toISOString();
        write(JSON.stringify({ time, level, event, ...safe({ ...common, ...fields }) }));
      };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      with: (fields) => from({ ...common, ...fields }),
    };
  };
  return from({});
}

function safe(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (secret.test(name)) return [name, "(hidden)"];
      return [
        name,
        typeof value === "string" && value.length > longest ? `${value.slice(0, longest)}…` : value,
      ];
    }),
  );
}

/** What went wrong, for the operator: where it was thrown helps more than how it is worded. */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: String(error) };
  return { error: `${error.name}: ${error.message}`, stack: error.stack };
}
