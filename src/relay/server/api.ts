/** Who sends a request over HTTP, as far as the relay knows. */
export type Caller = {
  /** The address; behind a trusted proxy, the one that the proxy names. */
  address: string;
  /** Whether it came over TLS, here or at a trusted proxy. */
  secure: boolean;
  /** Names the request in the log. */
  requestId: string;
};

/** Answers some of the requests over HTTP; undefined: this one is for others. What it throws is answered with 500. */
export type PublicPart = (request: Request, caller: Caller) => Promise<Response | undefined>;

/** Something that listens. */
export type Listening = {
  /** Where it really listens: a port that was asked for as 0 has become one. */
  address: { host: string; port: number };
  /** Takes nothing new and lets what is under way end, at most for `grace` milliseconds. */
  close(grace: number): Promise<void>;
};
