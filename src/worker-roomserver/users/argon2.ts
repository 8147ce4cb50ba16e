// Of all that hash-wasm has, in a module of its own: a whole package that is imported later cannot be cut down.
export { argon2id, argon2Verify } from "hash-wasm";
