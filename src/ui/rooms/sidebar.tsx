import { useState } from "react";
import { IconButton } from "../parts/icon-button.tsx";
import { AccountSwitcher } from "../shell/account-switcher.tsx";
import { HomeLine } from "../shell/home-line.tsx";
import { SignOutDialog } from "../shell/sign-out-dialog.tsx";
import "../styles/rooms.css";
import { CreateRoomDialog } from "./create-room-dialog.tsx";
import { JoinRoomDialog } from "./join-room-dialog.tsx";
import { RoomList } from "./room-list.tsx";

type OpenDialog = "create" | "join" | "sign-out" | null;

export function Sidebar({ openRoomId, onSettings }: { openRoomId: string | null; onSettings(): void }) {
  const [dialog, setDialog] = useState<OpenDialog>(null);
  const close = () => setDialog(null);
  return (
    <aside className="sidebar">
      <AccountSwitcher onSettings={onSettings} onSignOut={() => setDialog("sign-out")} />
      <div className="sidebar-head">
        <h2 className="sidebar-title">Rooms</h2>
        <IconButton
          icon="enter"
          label="Join a room"
          onPress={() => setDialog("join")}
          data-testid="join-room"
        />
        <IconButton
          icon="plus"
          label="New room"
          onPress={() => setDialog("create")}
          data-testid="create-room"
        />
      </div>
      <RoomList openRoomId={openRoomId} onCreate={() => setDialog("create")} />
      <HomeLine />
      {dialog === "create" && <CreateRoomDialog onClose={close} />}
      {dialog === "join" && <JoinRoomDialog onClose={close} />}
      {dialog === "sign-out" && <SignOutDialog onClose={close} />}
    </aside>
  );
}
