import type { MatrixClient } from "matrix-js-sdk/lib/matrix.js";
import { useState } from "react";
import { useViewing } from "../notifications/viewing.ts";
import { RoomPage } from "../rooms/room-page.tsx";
import { Sidebar } from "../rooms/sidebar.tsx";
import { SettingsDialog } from "../settings/settings-dialog.tsx";
import { useOpenRoom } from "../state/route.ts";
import { ClientContext } from "../state/session-context.ts";
import "../styles/panel.css";
import "../styles/shell.css";
import { Notice } from "./notice.tsx";
import { Start } from "./start.tsx";

/** The client: rooms on the left, the open room beside them; on a phone one of the two at a time. */
export function Shell({ client }: { client: MatrixClient }) {
  const roomId = useOpenRoom();
  useViewing(client.getSafeUserId(), roomId);
  const [showsSettings, setShowsSettings] = useState(false);
  return (
    <ClientContext value={client}>
      <div className="shell" data-room-open={roomId !== null || undefined}>
        <Sidebar openRoomId={roomId} onSettings={() => setShowsSettings(true)} />
        {roomId === null ? <Start /> : <RoomPage key={roomId} roomIdOrAlias={roomId} />}
      </div>
      <Notice />
      {showsSettings && <SettingsDialog onClose={() => setShowsSettings(false)} />}
    </ClientContext>
  );
}
