/** A certificate chain and its private key, both PEM. */
export type Credentials = { certificate: string; key: string };

/** What a listener proves its name with. */
export type TlsSource = {
  current(): Credentials;
  /**
   * For `serverCertificateHashes`: base64 of the SHA-256 of the certificates that are used now and next. Undefined
   * where an authority that browsers know has signed.
   */
  hashes(): string[] | undefined;
  /** Told after `current` has become another one. @returns what ends that */
  onChange(listener: () => void): () => void;
  close(): void;
};
