/**
 * The X.509 library finds its parts by a container that refuses to load without the Reflect metadata API, and asks it
 * only for what decorators would have written: there is nothing, so that is what it hears. To be imported before it.
 */
Object.assign(Reflect, {
  getMetadata: () => undefined,
  getOwnMetadata: () => undefined,
  defineMetadata: () => undefined,
});
