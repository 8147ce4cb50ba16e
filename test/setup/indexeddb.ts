// Node has no IndexedDB: the tests get one in memory. In the browser project they run over the real one.
import "fake-indexeddb/auto";
