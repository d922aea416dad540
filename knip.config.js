/** Exports, files and dependencies that nothing uses. Tests and benches import the built program: for knip their `dist/` is `src/`. */
export default {
  entry: [
    "bin/*.js",
    "src/cli/main.ts",
    "src/serve/api-process.ts",
    "src/load-test/generator-process.ts",
    "bench/{main,case-process,floor-server,bare-parse,peak-memory,change-process,publish-all}.ts",
    "bench/cases/*.ts",
    "test/**/*.test.ts",
    "test/{chaos,fuzz,soak}/main.ts",
    "test/**/process.ts",
    "test/soak/heap-report.ts",
  ],
  project: ["src/**/*.ts", "bench/**/*.ts", "test/**/*.ts", "bin/*.js"],
  ignoreExportsUsedInFile: { interface: true, type: true },
  compilers: { ts: (text) => text.replaceAll(/(["'](?:\.\.\/)+)dist\//g, "$1src/") },
};
