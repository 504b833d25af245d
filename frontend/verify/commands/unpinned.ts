// SPDX-License-Identifier: Apache-2.0
/** Evidence of a registry that is not trusted: no step could say it so plainly. */
import type { Evidence } from "../evidence";
import { urisOf } from "../forms";
import type { TrustRoot } from "../trust";

const REGISTRY = /^(https?:\/\/[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?)\//;

/** The one registry that the certificates name, if that is another than the trusted one; or null. */
export function strangerOf({ bundles }: Evidence, trust: TrustRoot): string | null {
  const uris = Object.values(bundles).flatMap(({ chain }) => urisOf(chain.leaf));
  if (uris.some((uri) => uri.startsWith(`${trust.registry}/`))) return null;
  const [named, ...others] = new Set(uris.map((uri) => REGISTRY.exec(uri)?.[1] ?? ""));
  return others.length === 0 && named ? named : null;
}
