import { isPublicHost } from "../../matrix/public-hosts.ts";
import type { Address } from "./kinds.ts";
import { ConfigError } from "./read.ts";
import type { Values } from "./settings.ts";

type Listener = Address | undefined;

/** The settings as the relay uses them: whole, and in accord with one another. */
export type Config = Omit<
  Values,
  | "listen"
  | "federationListen"
  | "dendriteListen"
  | "quicListen"
  | "metricsListen"
  | "tlsCertificate"
  | "tlsKey"
  | "data"
  | "home"
  | "publicUrl"
> & {
  /** As browsers see it: `https://host[:port]`. Absent: see `publicUrlOf`. */
  publicUrl: string | undefined;
  home: boolean;
  listen: Listener;
  federationListen: Listener;
  dendriteListen: Listener;
  quicListen: Listener;
  metricsListen: Listener;
  tls: { certificate: string; key: string } | undefined;
  data: string;
};

/**
 * Fills in what follows from other settings, and checks what they have to do with one another.
 * @throws {ConfigError}
 */
export function completeConfig(values: Values, env: { [name: string]: string | undefined }): Config {
  const { tlsCertificate, tlsKey, ...rest } = values;
  const listen = listener(values.listen);
  const federationListen = listener(values.federationListen);
  if ((tlsCertificate === undefined) !== (tlsKey === undefined)) {
    throw new ConfigError("tls-certificate and tls-key: one is of no use without the other");
  }
  const tls =
    tlsCertificate === undefined || tlsKey === undefined
      ? undefined
      : { certificate: tlsCertificate, key: tlsKey };
  if (federationListen !== undefined && tls === undefined) {
    throw new ConfigError("federation-listen: needs tls-certificate and tls-key");
  }
  if (listen === undefined && federationListen === undefined) {
    throw new ConfigError("listen: there is nothing to do with this and federation-listen off");
  }
  return {
    ...rest,
    publicUrl: values.publicUrl,
    home: values.home ?? isPublicHost(values.name.replace(/:\d+$/, "")),
    listen,
    federationListen,
    dendriteListen: listener(values.dendriteListen),
    quicListen: values.quicListen === undefined ? (listen ?? federationListen) : listener(values.quicListen),
    metricsListen: listener(values.metricsListen),
    tls,
    data: values.data ?? defaultData(env),
  };
}

const listener = (value: Address | { off: true }): Listener => ("off" in value ? undefined : value);

/** Where browsers find the relay. @param port - that it really listens at, for HTTP */
export function publicUrlOf({ publicUrl, name }: Pick<Config, "publicUrl" | "name">, port: number): string {
  return publicUrl ?? (name === "localhost" ? `http://localhost:${port}` : `https://${name}`);
}

/** @see https://specifications.freedesktop.org/basedir-spec/latest/ */
function defaultData(env: { [name: string]: string | undefined }): string {
  const base = env.XDG_DATA_HOME || (env.HOME && `${env.HOME}/.local/share`);
  if (base?.startsWith("/")) return `${base}/hearth-relay`;
  throw new ConfigError("data: has to be given where neither XDG_DATA_HOME nor HOME says where data goes");
}
