// SPDX-License-Identifier: Apache-2.0
/** How the islands, the verifier and the styles become frontend/built; and how vitest finds its tests. */
import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

const SHIPPED = JSON.parse(readFileSync("package.json", "utf8")) as {
  dependencies: Record<string, string>;
};

/** The licence texts of everything that ends up in the bundle, as one file beside it. */
function thirdPartyLicences(): string {
  return Object.entries(SHIPPED.dependencies)
    .map(([name, version]) => {
      const folder = `node_modules/${name}`;
      const licence = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
      const text = licence === undefined ? "" : readFileSync(`${folder}/${licence}`, "utf8").trim();
      return `${name} ${version}\n\n${text}\n`;
    })
    .join(`\n${"-".repeat(80)}\n\n`);
}

export default defineConfig({
  // Relative, so that the same files work under any STATIC_URL.
  base: "./",
  publicDir: "public",
  build: {
    outDir: "built",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2024",
    // Nothing becomes a data: URL, which the content security policy would refuse for fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: { islands: "islands/main.ts", styles: "styles/main.css" } },
  },
  plugins: [
    {
      name: "third-party-licences",
      generateBundle() {
        this.emitFile({
          type: "asset",
          fileName: "third-party-licences.txt",
          source: thirdPartyLicences(),
        });
      },
    },
  ],
  test: {
    include: ["tests/**/*.test.ts"],
    testTimeout: 60_000, // what hangs fails; how fast it is, no test says
    sequence: { shuffle: true },
    coverage: {
      include: ["verify/**"],
      reporter: ["text"],
      thresholds: { branches: 85, lines: 90 },
    },
  },
});
