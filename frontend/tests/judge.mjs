// SPDX-License-Identifier: Apache-2.0
/** `node tests/judge.mjs FILE`: what the browser's verifier says of each document in a file, as JSON. */
import { readFileSync } from "node:fs";
import { createServer } from "vite";

const server = await createServer({
  appType: "custom",
  configFile: false,
  logLevel: "error",
  optimizeDeps: { noDiscovery: true },
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
});
const { judgeAll } = await server.ssrLoadModule("/tests/judging.ts");
const given = JSON.parse(readFileSync(process.argv[2], "utf8"));
process.stdout.write(JSON.stringify(await judgeAll(given)));
await server.close();
