import type { UserDirectory } from "./api.ts";
import type { Directory, UserDirectoryOptions } from "./directory.ts";

/** The user directory is loaded when somebody first looks for somebody. */
export function openUserDirectory(options: UserDirectoryOptions): UserDirectory & { close(): void } {
  let loading: Promise<Directory> | undefined;
  const load = () => {
    loading ??= import("./directory.ts").then((module) => new module.Directory(options));
    loading.catch(() => {
      loading = undefined; // a part of the page that could not be loaded may be there the next time
    });
    return loading;
  };
  return {
    search: async (...request) => (await load()).search(...request),
    close: () => {
      // Of one that could not be loaded there is nothing to close.
      loading?.then(
        (directory) => directory.close(),
        () => undefined,
      );
    },
  };
}
