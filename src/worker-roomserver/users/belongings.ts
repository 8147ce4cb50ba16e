import type { Belongings, Fill } from "./api.ts";

/** All belongings as one. @param parts - asked anew each time: components are made one after the other */
export function together(parts: () => readonly Belongings[]): Required<Belongings> {
  const all = async (ask: (part: Belongings) => Promise<Fill> | undefined): Promise<Fill> => {
    const fills = await Promise.all(parts().map(ask));
    return (write) => {
      for (const fill of fills) fill?.(write);
    };
  };
  return {
    removal: (removed) => all((part) => part.removal(removed)),
    newLogin: (userId, deviceId) => all((part) => part.newLogin?.(userId, deviceId)),
    renaming: (userId, deviceId) => all((part) => part.renaming?.(userId, deviceId)),
  };
}
