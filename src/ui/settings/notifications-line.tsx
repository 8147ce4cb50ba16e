import {
  type NotificationsSetting,
  notificationsSetting,
  turnNotificationsOff,
  turnNotificationsOn,
} from "../notifications/setting.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { useStore } from "../state/store.ts";

const words: Record<NotificationsSetting, string> = {
  off: "Not shown on this device.",
  on: "Shown on this device while Hearth is open in some tab.",
  blocked: "The browser has been told not to show any: its settings for this site can change that.",
  unsupported: "This browser has none to show here.",
};

/** Whether this browser shows notifications, and the switch for it. */
export function NotificationsLine() {
  const { value } = useStore(notificationsSetting);
  return (
    <>
      <span data-testid="notifications-line" data-setting={value}>
        {words[value]}
      </span>
      {value === "off" && <ActionButton onPress={() => void turnNotificationsOn()}>Show them</ActionButton>}
      {(value === "on" || value === "blocked") && (
        <ActionButton onPress={turnNotificationsOff}>Do not show them</ActionButton>
      )}
    </>
  );
}
