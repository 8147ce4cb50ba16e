// Folders of somebody's own machine. The names are put together here, so that this file is clean as well.
const personal = ["root", "work", "tmp/[\\w.-]+", "home/[\\w.-]+", "Users/[\\w.-]+"].join("|");
const pattern = new RegExp(`(?<![\\w.:/~-])/(?:${personal})/[\\w.-]|[A-Z]:\\\\Users\\\\`, "g");

/**
 * @param {string} text
 * @returns {{ line: number, text: string }[]} the lines, counted from 1, that name a path of one machine
 */
export function machinePaths(text) {
  return text
    .split("\n")
    .map((content, index) => ({ line: index + 1, text: content.trim() }))
    .filter(({ text: content }) => content.search(pattern) >= 0);
}
