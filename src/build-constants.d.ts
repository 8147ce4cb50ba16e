/** The version of this build: the package's, and a hash of the sources, such as `0.1.0+3f2a9c04d1be`. */
declare const __HEARTH_VERSION__: string;
