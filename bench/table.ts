/** One line of the result: a figure beside its floor of the same run. */
export type Figure = {
  name: string;
  unit: string;
  measured: number;
  floor: number;
  /** What is compared with the bound: mostly measured / floor. */
  ratio: number;
  /** `most`: the ratio may not be above `bound`; `least`: not below; `none`: for information. */
  kind: "most" | "least" | "none";
  bound: number;
};

export const holds = ({ kind, ratio, bound }: Figure): boolean =>
  kind === "none" || (kind === "most" ? ratio <= bound : ratio >= bound);

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

const number = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(2));
const sign = { most: "≤", least: "≥", none: "" } as const;

export function formatTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    `${number(figure.measured)} ${figure.unit}`,
    `${number(figure.floor)} ${figure.unit}`,
    number(figure.ratio),
    figure.kind === "none" ? "" : `${sign[figure.kind]} ${number(figure.bound)}`,
    figure.kind === "none" ? "" : holds(figure) ? "ok" : "MISSED",
  ]);
  const table = [["", "measured", "floor", "ratio", "bound", ""], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const line = (row: string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return table.map(line).join("\n");
}
