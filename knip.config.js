/** Exports, files and dependencies that nothing uses. Tests and benches import the built program: to knip their `dist/` is `src/`. */
export default {
  entry: [
    "bin/*.js",
    "src/cli/main.ts",
    "src/serve/api-process.ts",
    "src/load-test/generator-process.ts",
    "bench/{main,case-process,floor-server,bare-parse,peak-memory,change-process,publish-all}.ts",
    "bench/cases/*.ts",
    "test/**/*.test.ts",
    "test/{all,some}.ts",
    "test/{chaos,fuzz,pack,screenshots,soak}/main.ts",
    "test/**/{process,command-process}.ts",
    "test/soak/heap-report.ts",
    "web/demo/{page,preview}.js",
  ],
  project: ["src/**/*.ts", "bench/**/*.ts", "test/**/*.ts", "bin/*.js", "web/**/*.js"],
  // Programs of the machine, not of packages.
  ignoreBinaries: ["redis-server", "openssl", "mount", "umount", "prlimit", "script", "fish", "kcat", "epmd"],
  // The client as it is served beside the page's scripts.
  ignoreUnresolved: ["./client/index.js"],
  ignoreExportsUsedInFile: { interface: true, type: true },
  compilers: Object.fromEntries(
    ["ts", "js"].map((kind) => [
      kind,
      (text) => text.replaceAll(/(["'](?:\.\.\/)+)dist\//g, "$1src/").replaceAll(/(["'](?:\.\.\/)+)dist-bench\//g, "$1bench/"),
    ]),
  ),
};
