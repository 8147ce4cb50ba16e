import type { LinkHandler } from "../../link/api.ts";
import { chooseEd25519 } from "../../matrix/ed25519.ts";
import type { UserId } from "../../matrix/identifiers.ts";
import { openAccountData } from "../account-data/open.ts";
import { clientOf, openAppServices, openNamespaces } from "../appservices/open.ts";
import type { Egress } from "../egress/api.ts";
import { openFederation } from "../federation/open.ts";
import type { PolicySigner } from "../federation/policy/api.ts";
import { openKeyBackup } from "../key-backup/open.ts";
import type { RemoteKeys } from "../keys/api.ts";
import { openKeys } from "../keys/open.ts";
import { trimLog } from "../log/trim.ts";
import { openMedia } from "../media/open.ts";
import type { MediaOptions } from "../media/options.ts";
import type { RemoteMedia } from "../media/remote/api.ts";
import { openMonitor } from "../monitor/open.ts";
import { openOAuth } from "../oauth/open.ts";
import { openPresence } from "../presence/open.ts";
import { dropOldNotifications } from "../push/notification-list.ts";
import { openPush } from "../push/open.ts";
import { pusherBelongings } from "../push/pushers/belongings.ts";
import { openReceipts } from "../receipts/open.ts";
import type { Inbox } from "../relay/api.ts";
import type { OpenKeeper } from "../relay/keeper.ts";
import { openRelays } from "../relay/open.ts";
import { openReports } from "../reports/open.ts";
import type { RemoteHistory } from "../room/history/api.ts";
import { openRooms } from "../room/open.ts";
import { ProfileReader } from "../room/profile-reader.ts";
import type { RemoteQuestions } from "../room/questions/api.ts";
import type { RemoteRooms } from "../room/remote/api.ts";
import { dropOldTransactions } from "../room/transactions.ts";
import { UpgradeReader } from "../room/upgrade-reader.ts";
import { openSearch } from "../search/open.ts";
import { openSettings } from "../settings/open.ts";
import type { Storage } from "../storage/api.ts";
import { migrations } from "../storage/migrations.ts";
import { openStorage, type StorageOptions } from "../storage/storage.ts";
import { IgnoredUsers } from "../sync/ignored-users.ts";
import { openOldSync } from "../sync/old/open.ts";
import { openSync } from "../sync/sync.ts";
import { endingWithSession } from "../sync/with-session.ts";
import { openToDevice } from "../to-device/open.ts";
import { dropOldReceived } from "../to-device/received.ts";
import { openTyping } from "../typing/open.ts";
import { openUserDirectory } from "../user-directory/open.ts";
import { openUsers } from "../users/open.ts";
import type { PasswordCost } from "../users/passwords.ts";
import type { RemoteProfiles } from "../users/remote/api.ts";
import { openVoip } from "../voip/open.ts";
import { Answers } from "./answers.ts";
import type { Node } from "./api.ts";
import { Compactor } from "./compactor.ts";
import { type AskHomeRelay, openIdentity } from "./identity.ts";
import { later, lazily, lazySteps, once } from "./later.ts";

export type NodeOptions = {
  dbName: string;
  /** Milliseconds since 1970. */
  now: () => number;
  onStopped: StorageOptions["onStopped"];
  /** In place of what the owner has set. */
  passwordCost?: PasswordCost;
  /** How much media is kept; by default, what browsers have room for. */
  mediaLimits?: MediaOptions["limits"];
  /** How servers outside are reached; by default, over a relay, or by the browser's own fetch. */
  egress?: Egress;
  /** Of the page. Absent where there is none. */
  origin?: string;
  /** Asked once in a node's life: see `openIdentity`. Absent: it has no home relay. */
  homeRelay?: AskHomeRelay;
  /** Speaks with other servers; for who wants to stand between. */
  openFederation?: typeof openFederation;
  /** The name that its owner wants it to have, in place of its key: see `openIdentity`. */
  serverName?: string;
  /** Keeps a session with a relay; by default, over whatever this browser has. */
  openKeeper?: OpenKeeper;
};

export type OpenNode = Node & {
  readonly storage: Storage;
  /** What other servers have sent, for who takes it in. */
  readonly inbox: Inbox;
  /** Answers what other servers ask. */
  readonly answerServers: LinkHandler;
  /** Connects to the relays, when all else is there. */
  startRelays(): Promise<void>;
  /** Begins to send what waits for other servers, and to take in what has come from them. */
  startFederation(): Promise<void>;
  /** Waits for what is queued, and lets go of the database. */
  close(): Promise<void>;
};

const orphanedWaits = later(() => import("../room/purge/orphaned-waits.ts"));
const purging = later(() => import("../room/purge/remove.ts"));
// What the service worker has of the client API, the worker has of the owner's: behind a door of the same make.
const consoleDoor = later(() => import("../../sw/console/door.ts"));
const directFetching = later(() => import("../egress/direct-fetch.ts"));

/** Puts a node together over its database, as its leader: from here on, no earlier one can write. */
export async function openNode(options: NodeOptions): Promise<OpenNode> {
  const { now } = options;
  const storage = await openStorage({ name: options.dbName, onStopped: options.onStopped });
  const answers = await Answers.open(storage, now);
  const ed25519 = await chooseEd25519(crypto.subtle);
  const { serverName, key } = await openIdentity(storage, ed25519, options.homeRelay, options.serverName);

  const settings = await openSettings({ storage });
  // Most homeservers have no pushers and no services, and need no way out.
  const inTime = (ms: number, call: () => void) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  };
  const relays = openRelays({
    ...{ storage, serverName, key, now },
    keys: () => keys,
    answerServers: (request, signal) => federation.answer(request, signal),
    onSession: () => federation.wayIsOpen(),
    openKeeper: options.openKeeper,
    fetch: (url, init) => fetch(url, init),
    origin: options.origin ?? "",
    isLimited: () => settings.current.rate_limits,
    later: inTime,
  });
  const egress: Egress =
    options.egress ?? relays.egress(lazily<Egress>(async () => (await directFetching()).directFetch));
  const client = clientOf(egress);
  const { registry, namespaces } = await openNamespaces(storage, serverName, client);

  const users = await openUsers({
    appServices: namespaces,
    storage,
    answers,
    serverName,
    now,
    settings: () => ({
      ...settings.current,
      ...(options.passwordCost && { password_cost: options.passwordCost }),
    }),
    leaveRooms: (userId) => room.leaveAll(userId),
    profilesAnnounced: (position) => profiles.caughtUp(position),
    remoteProfiles: lazily<RemoteProfiles>(async () => federation.remoteProfiles),
    belongings: () => [pusherBelongings(storage), transactions, toDevice, backups.belongings, belongings],
  });
  const oauth = openOAuth({ storage, answers, users, now });
  const onActivity = (userId: UserId) => presence.active(userId);
  const accountData = openAccountData({ storage });
  const ignoredUsers = new IgnoredUsers(storage, accountData);
  const ignoredBy = async (userId: UserId) => ignoredUsers.of(userId, await storage.names.intern(userId));
  const rooms = await openRooms({
    appServices: namespaces,
    storage,
    answers,
    users,
    accountData,
    now,
    roomVersion: () => settings.current.room_version,
    serverName,
    key,
    ed25519,
    onActivity,
    ignoredBy,
    remote: lazily<RemoteRooms>(async () => federation.remoteRooms),
    history: lazily<RemoteHistory>(async () => federation.remoteHistory),
    questions: lazily<RemoteQuestions>(async () => federation.remoteQuestions),
    policies: lazily<PolicySigner>(async () => federation.policies),
  });
  const { room, roomDirectory, roomInput, roomQueries, roomConsole } = rooms;
  const profiles = new ProfileReader({ storage, announce: (userId) => room.announceProfile(userId) });
  const upgrades = new UpgradeReader({ storage, room, serverName, settings: accountData });
  const typing = await openTyping({ storage, room, now });
  const receipts = openReceipts({ storage, room, now });
  const presence = await openPresence({ storage, room, now });
  const push = openPush({
    storage,
    answers,
    room,
    receipts,
    accountData,
    devices: users,
    egress,
    serverName,
    now,
    later: inTime,
    random: Math.random,
  });
  const { transactions } = rooms.parts;
  const toDevice = openToDevice({ storage, transactions, users, serverName, now });
  const backups = openKeyBackup({ storage, answers });
  const { keys, belongings } = openKeys({
    ...{ storage, answers, users, oauth, serverName, ed25519, toDevice },
    settings: () => settings.current,
    remote: lazily<RemoteKeys>(async () => federation.remoteKeys),
  });
  const appServices = openAppServices({
    ...{ storage, serverName, now, client, registry, room, typing, receipts, presence, toDevice, keys },
    later: inTime,
    makeSender: (userId) => users.makeSender(userId),
    requireRoom: (roomId) => rooms.parts.heads.get(roomId),
    aliasesOf: async (roomId) => (await rooms.parts.directory.of(roomId)).aliases,
  });
  const sync = endingWithSession(
    openSync({ storage, room, accountData, typing, receipts, presence, push, toDevice, keys, ignoredUsers }),
    users.whileLoggedIn,
  );
  const { media, mediaConsole, dropExpired, dropOrphans } = openMedia({
    storage,
    answers,
    serverName,
    now,
    egress,
    remote: lazily<RemoteMedia>(async () => federation.remoteMedia),
    ...(options.mediaLimits && { limits: options.mediaLimits }),
  });
  const federation = (options.openFederation ?? openFederation)({
    ...{ storage, serverName, key, ed25519, egress, now, users, room, roomDirectory, roomInput, roomQueries },
    ...{ keys, toDevice, presence, receipts, typing, media },
    outOfBand: rooms.outOfBand,
    later: inTime,
    random: Math.random,
    settings: () => settings.current,
    // As it is whenever it is asked.
    backOff: {
      get first() {
        return settings.current.federation.backOff.first;
      },
      get most() {
        return settings.current.federation.backOff.most;
      },
    },
    inbox: relays.inbox,
    isReachable: async () =>
      (await relays.relays.states()).some(({ connection }) => connection === "connected"),
  });
  const oldSync = openOldSync({ storage, room, accountData, sync, users, ignoredUsers });
  const reports = openReports({ storage, room, users, serverName, now });
  const voip = openVoip({ settings, now });
  const search = openSearch({ storage, room, ignoredBy });
  const userDirectory = openUserDirectory({ storage, room, serverName });
  const compactor = new Compactor({
    storage,
    now,
    hourly: [
      () => lazySteps(async () => (await purging()).finishPurges(rooms.parts)),
      () => trimLog(storage),
      () => oauth.dropExpired(),
      dropExpired,
    ],
    daily: [
      () => dropOldTransactions(storage, now),
      () => lazySteps(async () => (await orphanedWaits()).dropOrphanedWaits(storage)),
      () => users.dropOldTokens(),
      () => users.dropOldPages(),
      () => oauth.dropUnusedClients(),
      () => dropOldNotifications(storage),
      dropOrphans,
      () => relays.dropOldMail(),
      () => dropOldReceived(storage, now),
    ],
  });
  compactor.start(rooms.isPurging);
  // Not waited for: a room that will not be left must not keep the homeserver from starting.
  users.finishDeactivations().catch((error: unknown) => {
    console.error(
      "hearth: a deactivated account could not leave its rooms; it is tried again at the next start",
      error,
    );
  });

  const monitor = openMonitor({ storage, room, sync, now, schemaVersion: migrations.length });
  const node: Node = {
    info: async () => ({ serverName, epoch: storage.epoch, roomVersion: settings.current.room_version }),
    users,
    oauth,
    room,
    roomDirectory,
    roomInput,
    roomQueries,
    roomConsole,
    sync,
    accountData,
    typing,
    receipts,
    presence,
    push,
    toDevice,
    keyBackup: backups.keyBackup,
    appServices,
    media,
    mediaConsole,
    keys,
    settings,
    reports,
    voip,
    oldSync,
    search,
    userDirectory,
    relays: relays.relays,
    federation: federation.forOwner,
    usersConsole: users.console,
    monitor,
    console: lazily(once(async () => (await consoleDoor()).createConsole(node))),
  };
  return {
    ...node,
    inbox: relays.inbox,
    answerServers: federation.answer,
    startRelays: () => relays.start(),
    startFederation: () => federation.start(),
    storage,
    close: async () => {
      for (const component of [
        relays,
        federation,
        appServices,
        profiles,
        upgrades,
        typing,
        presence,
        push,
        search,
        userDirectory,
        compactor,
      ])
        component.close();
      await storage.flushed();
      storage.close();
    },
  };
}
