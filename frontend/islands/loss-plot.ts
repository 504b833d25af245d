// SPDX-License-Identifier: Apache-2.0
/** How losses are drawn: the scales, the two lines, and colours that follow the page's theme. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

/** As events and the server's list tell it (docs/spec/http.md); quantities are decimal strings. */
export type Point = {
  readonly step: number;
  readonly train: string;
  readonly validation: string | null;
};

/** What a model knows that has learnt nothing: ln 256 nats for each byte. */
const UNINFORMED_NATS = 5.55;
const BEST_NATS = 1;
const HEIGHT_PX = 240;

/** A plot that fills `target` and keeps filling it. */
export function plotIn(target: HTMLElement, points: readonly Point[], steps: number): uPlot {
  const plot = new uPlot(options(target, steps), columns(points), target);
  new ResizeObserver(() => {
    plot.setSize({ width: target.clientWidth, height: HEIGHT_PX });
  }).observe(target);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot.redraw());
  return plot;
}

export function columns(points: readonly Point[]): uPlot.AlignedData {
  return [
    points.map(({ step }) => step),
    points.map(({ train }) => Number(train)),
    points.map(({ validation }) => (validation ? Number(validation) : null)),
  ];
}

function options(target: HTMLElement, steps: number): uPlot.Options {
  const line = (name: string) => () => colour(target, name);
  const axis = { stroke: line("--faint"), font: "12px Instrument Sans", ticks: { show: false } };
  return {
    width: target.clientWidth,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { y: false, points: { size: 7 } },
    scales: {
      x: { time: false, range: (_, least, most) => [least ?? 0, Math.max(most ?? 1, steps)] },
      y: {
        range: (_, least, most) => [
          Math.min(least ?? BEST_NATS, BEST_NATS),
          Math.max(most ?? 0, UNINFORMED_NATS),
        ],
      },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 30, space: 64 },
      { ...axis, grid: { stroke: line("--line"), width: 1 }, size: 28, space: 40 },
    ],
    series: [
      {},
      { stroke: line("--strong-line"), width: 1, points: { show: false } },
      {
        stroke: line("--brass"),
        width: 2,
        spanGaps: true,
        points: { show: true, size: 6, fill: line("--brass") },
      },
    ],
  };
}

/** A custom property as a colour for a canvas: the browser resolves `light-dark()` in it. */
function colour(host: HTMLElement, name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  host.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}
