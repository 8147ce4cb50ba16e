// The build writes these into the code; under test they are globals, which works in Node and the browser.
Object.assign(globalThis, { __HEARTH_VERSION__: "test" });
