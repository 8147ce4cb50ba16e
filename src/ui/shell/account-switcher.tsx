import { Button } from "react-aria-components/Button";
import { Menu, MenuItem, MenuTrigger, Popover, Separator } from "react-aria-components/Menu";
import { serverOf, shortName, shortServer } from "../model/names.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Icon } from "../parts/icon.tsx";
import { accountName } from "../state/accounts.ts";
import { useSession, useSessionState } from "../state/session-context.ts";

/** Who this tab is, who else lives on this homeserver in this browser, and the way to add somebody. */
export function AccountSwitcher({ onSettings, onSignOut }: { onSettings(): void; onSignOut(): void }) {
  const session = useSession();
  const { accounts, account } = useSessionState();
  if (!account) return null;
  const me = account.userId;
  const name = accountName(account);
  return (
    <MenuTrigger>
      <Button className="account" data-testid="account-switcher" data-user-id={me}>
        <Avatar id={me} name={name} />
        <span className="account-who">
          <span className="account-name">{name}</span>
          <span className="account-server">
            @{shortName(me)} · {shortServer(serverOf(me))}
          </span>
        </span>
        <Icon name="chevron" size={18} />
      </Button>
      <Popover className="popover" placement="bottom start">
        <Menu className="menu">
          {accounts.map((other) => (
            <MenuItem
              key={other.userId}
              id={other.userId}
              className="menu-item"
              textValue={accountName(other)}
              onAction={() => other.userId !== me && void session.switchTo(other.userId)}
              data-testid="switch-account"
              data-user-id={other.userId}
            >
              <Avatar id={other.userId} name={accountName(other)} size="small" />
              <span className="menu-words">{accountName(other)}</span>
              {other.userId === me && <Icon name="check" size={16} />}
            </MenuItem>
          ))}
          <Separator className="menu-line" />
          <MenuItem
            id="add"
            className="menu-item"
            data-testid="add-account"
            onAction={() => session.startAdding()}
          >
            <Icon name="plus" size={18} />
            <span className="menu-words">Add another person to this homeserver</span>
          </MenuItem>
          <MenuItem id="settings" className="menu-item" data-testid="settings" onAction={onSettings}>
            <Icon name="settings" size={18} />
            <span className="menu-words">Settings</span>
          </MenuItem>
          <MenuItem id="sign-out" className="menu-item" data-testid="sign-out" onAction={onSignOut}>
            <Icon name="enter" size={18} />
            <span className="menu-words">Sign out</span>
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
