import { ConfigError } from "./config/read.ts";

/**
 * Makes the data folder where it is missing, for this user alone, and takes it for this process: two relays in one
 * folder would each believe that what is kept there is theirs. The system gives it back when the process ends, however
 * that happens.
 * @throws {ConfigError}
 */
export async function takeDataFolder(folder: string): Promise<() => void> {
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const file = await Deno.open(`${folder}/lock`, { create: true, write: true });
    if (await file.tryLock(true)) return () => file.close();
    file.close();
  } catch (error) {
    throw new ConfigError(
      `data: cannot write to ${folder}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  throw new ConfigError(`data: ${folder} is in use by another relay`);
}
