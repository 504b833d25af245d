// SPDX-License-Identifier: Apache-2.0
// @huggingface/hub alone: `node hub.mjs ACTION URL REPOSITORY FOLDER` with a token in HF_TOKEN, and
// says on one line what it found. `publish` sends what is in FOLDER; the others need no token.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as hub from "@huggingface/hub";

const [action, hubUrl, repo, folder] = process.argv.slice(2);
const accessToken = process.env.HF_TOKEN;
const at = { hubUrl, repo, ...(accessToken ? { accessToken } : {}) };

const collect = async (found) => {
  const all = [];
  for await (const each of found) all.push(each);
  return all;
};

const actions = {
  look: async () => {
    const models = await collect(hub.listModels({ hubUrl, search: { owner: repo.split("/")[0] } }));
    const files = await collect(hub.listFiles({ ...at, recursive: true }));
    const info = await hub.modelInfo({ hubUrl, name: repo, additionalFields: ["sha"] });
    const commits = await collect(hub.listCommits(at));
    return {
      models: models.map((each) => each.name),
      files: Object.fromEntries(files.map((each) => [each.path, each.size])),
      sha: info.sha,
      commits: commits.map((each) => each.title),
    };
  },
  fetch: async () => {
    const names = (await collect(hub.listFiles({ ...at, recursive: true })))
      .filter((each) => each.type === "file")
      .map((each) => each.path);
    const found = {};
    for (const path of names) {
      const blob = await hub.downloadFile({ ...at, path });
      found[path] = Buffer.from(await blob.arrayBuffer()).toString("base64");
    }
    const missing = await hub.downloadFile({ ...at, path: "none" });
    const large = await hub.fileDownloadInfo({ ...at, path: "model.safetensors" });
    const part = await (await hub.downloadFile({ ...at, path: "model.safetensors" }))
      .slice(2, 6)
      .arrayBuffer();
    return { found, missing, size: large?.size, etag: large?.etag, part: [...new Uint8Array(part)] };
  },
  tensors: async () => {
    const parsed = await hub.parseSafetensorsMetadata({ ...at, computeParametersCount: true });
    const header = parsed.sharded ? parsed.headers : parsed.header;
    return { header, count: parsed.parameterTotal ?? parsed.parameterCount };
  },
  publish: async () => {
    await hub.createRepo({ ...at, repo: { type: "model", name: repo } });
    const files = readdirSync(folder).map((path) => ({
      path,
      content: new Blob([readFileSync(join(folder, path))]),
    }));
    const done = await hub.uploadFiles({ ...at, files, commitTitle: "From the browser's client" });
    await hub.deleteFile({ ...at, path: "config.json" });
    return { oid: done.commit.oid, who: (await hub.whoAmI({ hubUrl, accessToken })).name };
  },
};

try {
  console.log(JSON.stringify(await actions[action]()));
} catch (error) {
  console.log(JSON.stringify({ error: error.message, status: error.statusCode }));
}
