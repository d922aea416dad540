/**
 * Node as it runs outside a test. By NODE_OPTIONS tap puts a loader of its own into every process that a test starts: that makes a
 * start three times as long, and ends a process at a signal that Node passes over (SIGXFSZ, at a limit on files).
 */

/** Starts Node with these options, and none of the runner's: `spawn("env", [...bareNode(), FILE, …])`. The process keeps its pid. */
export const bareNode = (options = ""): string[] => [`NODE_OPTIONS=${options}`, process.execPath];
