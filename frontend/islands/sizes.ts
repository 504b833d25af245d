// SPDX-License-Identifier: Apache-2.0
/** Sizes as people read them, in the words that the server has for them. */

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;
const THOUSAND = 1000;

/** In decimal units, as disks and networks count them; whole bytes below a thousand. */
export function inWords(sizeBytes: number): string {
  let [value, unit] = [sizeBytes, 0];
  for (; value >= THOUSAND && unit < UNITS.length - 1; unit += 1) value /= THOUSAND;
  return unit === 0 ? `${value} ${UNITS[0]}` : `${value.toFixed(1)} ${UNITS[unit]}`;
}
