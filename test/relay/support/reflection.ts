// A dependency of @peculiar/x509 keeps what its decorators find on classes with these. Certificates need none of it.
const none = () => undefined;
const metadata = { getMetadata: none, getOwnMetadata: none, defineMetadata: none };
if (!("getMetadata" in Reflect)) Object.assign(Reflect, metadata);
