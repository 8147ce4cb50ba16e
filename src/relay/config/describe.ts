import { kebabCase, type Setting, settings, variableOf } from "./settings.ts";

const groups = [...new Set(Object.values(settings).map(({ group }) => group))];
const inGroup = (group: string) =>
  Object.entries(settings as { [key: string]: Setting }).filter(([, setting]) => setting.group === group);

/** What `--help` prints. */
export function helpText(): string {
  const lines = [
    "The relay of Hearth: an address, a way out and a letter box for homeservers that live in web pages.",
    "",
    "Usage: npm run relay -- [--config FILE] [--KEY VALUE ...]",
    "",
    "Each setting is a flag (--log-level debug), an environment variable (HEARTH_RELAY_LOG_LEVEL=debug) or a line of the",
    "YAML file that --config or HEARTH_RELAY_CONFIG names (log-level: debug). A flag goes before the environment, and",
    "that before the file. Lists have commas between their items, or are lists in the file.",
  ];
  for (const group of groups) {
    lines.push("", `${group}:`);
    for (const [key, { usual, help }] of inGroup(group)) {
      lines.push(`  --${kebabCase(key)}${usual ? ` (default: ${usual})` : ""}`);
      lines.push(...wrapped(help, 110).map((line) => `      ${line}`));
    }
  }
  return `${lines.join("\n")}\n`;
}

function wrapped(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last.length + word.length + 1 > width && last !== "") lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}

/** What docs/relay-configuration.md holds: a test compares them. */
export function documentation(): string {
  const parts = [
    "# The relay's configuration",
    "",
    "Written from `src/relay/config/settings.ts` by the test of the configuration, with `--update`; not by hand.",
    "",
    "Each setting is a flag, an environment variable or a line of the YAML file that `--config` or `HEARTH_RELAY_CONFIG`",
    "names. A flag goes before the environment, and that before the file. Lists have commas between their items, or are",
    "lists in the file. The relay does not start with a setting that it does not know or cannot use, and says which one.",
  ];
  for (const group of groups) {
    parts.push("", `## ${group}`, "", "| file and flag | environment | default | |", "|---|---|---|---|");
    for (const [key, { usual, help }] of inGroup(group)) {
      const shown = usual ? `\`${usual}\`` : "";
      parts.push(`| \`${kebabCase(key)}\` | \`${variableOf(key)}\` | ${shown} | ${escaped(help)} |`);
    }
  }
  return `${parts.join("\n")}\n`;
}

const escaped = (text: string) =>
  text.replace(/[|<>*]/g, (sign) => ({ "|": "\\|", "<": "&lt;", ">": "&gt;", "*": "\\*" })[sign] ?? sign);
