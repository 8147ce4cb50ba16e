import type { ReactNode } from "react";
import { Avatar } from "../parts/avatar.tsx";
import { IconButton } from "../parts/icon-button.tsx";
import { Mark } from "../parts/mark.tsx";
import { closeRoom } from "../state/route.ts";

/** What is seen of a room from outside, and the way in. */
export function Doorstep({ name, words, children }: { name: string; words?: string; children: ReactNode }) {
  return (
    <main className="start doorstep">
      <div className="doorstep-back">
        <IconButton icon="back" label="Back to the rooms" onPress={closeRoom} />
      </div>
      {name === "" ? <Mark size={72} /> : <Avatar id={name} name={name} size="large" square />}
      {name !== "" && <h1 className="start-title">{name}</h1>}
      {words && <p className="start-text">{words}</p>}
      <div className="doorstep-actions">{children}</div>
    </main>
  );
}
