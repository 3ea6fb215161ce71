// Draws the curves of a row with uPlot: A and B over each other, zoomed together by mouse, finger or keyboard.
"use strict";

const FORMS = {
  cost: { title: "Cost", form: (value) => value.toPrecision(4), factor: 1 },
  test_accuracy: { title: "Test accuracy, %", form: (value) => value.toFixed(2), factor: 100 },
  test_r2_score: { title: "Test R²", form: (value) => value.toFixed(4), factor: 1 },
};
const CHART_HEIGHT = 230;

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// The mean of each epoch that every seed has; a gap elsewhere.
function mean(seeds, epochs) {
  return Array.from({ length: epochs }, (_, place) => {
    const values = seeds.map((seed) => seed[place] ?? null);
    return values.length && values.every((value) => value !== null) ? values.reduce((sum, value) => sum + value) / values.length : null;
  });
}

function sidesOf(curve, factor) {
  const scaled = (side) => Object.values(side ?? {}).map((values) => values.map((value) => (value === null ? null : factor * value)));
  return { a: scaled(curve?.a), b: scaled(curve?.b) };
}

const lengthOf = ({ a, b }) => Math.max(0, ...[...a, ...b].map((values) => values.length));

// B is thinner and dashed, and lies on top: where the two coincide, both are seen.
function seriesOf({ a, b }, { form }) {
  const value = (_, at) => (at === null || at === undefined ? "–" : form(at));
  const points = { size: 7, fill: () => color("--raised") };
  const seed = (name, dash) => ({ stroke: () => color(name), width: 1, alpha: 0.55, dash, class: "seed", points: { show: false } });
  return [
    { label: "epoch" },
    ...(a.length > 1 ? a.map(() => seed("--a")) : []),
    ...(b.length > 1 ? b.map(() => seed("--b", [4, 4])) : []),
    { label: "A", stroke: () => color("--a"), width: 4, value, class: "a", points },
    { label: "B", stroke: () => color("--b"), width: 2, dash: [8, 5], value, class: "b", points },
  ];
}

function dataOf({ a, b }, epochs) {
  const padded = (values) => Array.from({ length: epochs }, (_, place) => values[place] ?? null);
  const seeds = [a, b].flatMap((side) => (side.length > 1 ? side.map(padded) : []));
  return [Array.from({ length: epochs }, (_, place) => place + 1), ...seeds, mean(a, epochs), mean(b, epochs)];
}

// Seldom a single value, or none: then uPlot's own range would be far too wide.
function heightOf(_, low, high) {
  if (low === null) return [0, 1];
  return low === high ? [low - 0.05 * Math.abs(low) - 1e-9, high + 0.05 * Math.abs(high) + 1e-9] : uPlot.rangeNum(low, high, 0.1, false);
}

function markEpoch(chart, epoch) {
  const { ctx, bbox } = chart;
  const at = chart.valToPos(epoch, "x", true);
  if (epoch === null || Number.isNaN(at) || at < bbox.left || at > bbox.left + bbox.width) return;
  ctx.save();
  ctx.strokeStyle = color("--quiet");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(at, bbox.top);
  ctx.lineTo(at, bbox.top + bbox.height);
  ctx.stroke();
  ctx.fillStyle = color("--quiet");
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textBaseline = "top";
  ctx.textAlign = at > bbox.left + bbox.width / 2 ? "right" : "left";
  ctx.fillText(" part ", at, bbox.top);
  ctx.restore();
}

// uPlot knows the mouse alone. One finger drawn sideways selects, too; up and down still scrolls the page.
function selectByTouch(chart) {
  const { over } = chart;
  let start = null;
  const ends = (event) => {
    const x = Math.min(Math.max(0, event.clientX - over.getBoundingClientRect().left), over.clientWidth);
    return [Math.min(start, x), Math.max(start, x)];
  };
  over.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") start = event.clientX - over.getBoundingClientRect().left;
  });
  over.addEventListener("pointermove", (event) => {
    if (start === null) return;
    const [left, right] = ends(event);
    chart.setSelect({ left, width: right - left, top: 0, height: over.clientHeight }, false);
  });
  over.addEventListener("pointerup", (event) => {
    if (start === null) return;
    const [left, right] = ends(event);
    start = null;
    chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    if (right - left > 10) chart.setScale("x", { min: chart.posToVal(left, "x"), max: chart.posToVal(right, "x") });
  });
  over.addEventListener("pointercancel", () => {
    start = null;
    chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  });
}

function chartOf(box, sides, look, epochs, partsAt, zoomed) {
  const axis = { stroke: () => color("--quiet"), grid: { stroke: () => color("--line"), width: 1 }, ticks: { stroke: () => color("--line"), width: 1 }, font: "12px system-ui, sans-serif" };
  const options = {
    width: Math.max(240, box.clientWidth),
    height: CHART_HEIGHT,
    scales: { x: { time: false, range: (_, low, high) => (epochs === 1 ? [0.5, 1.5] : [low, high]) }, y: { range: heightOf } },
    axes: [{ ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000], space: 40 }, { ...axis, size: 58 }],
    series: seriesOf(sides, look),
    cursor: { drag: { x: true, y: false } },
    legend: { markers: { dash: (drawn, place) => (drawn.series[place].dash ? "dashed" : "solid") } },
    hooks: {
      draw: [(chart) => markEpoch(chart, partsAt)],
      setScale: [(chart, name) => name === "x" && zoomed(chart.scales.x.min, chart.scales.x.max)],
    },
  };
  const chart = new uPlot(options, dataOf(sides, epochs), box);
  selectByTouch(chart);
  new ResizeObserver(() => box.clientWidth > 0 && chart.setSize({ width: box.clientWidth, height: CHART_HEIGHT })).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart.redraw(false, true));
  return chart;
}

// A drag ends between epochs: the zoom shows whole epochs, two of them at least, since one point is no curve.
function wholeEpochs(low, high, epochs) {
  const first = Math.max(1, Math.min(Math.round(low), epochs - 1));
  return [first, Math.min(epochs, Math.max(first + 1, Math.round(high)))];
}

function slider(words, epochs, value) {
  const input = element("input", { type: "range", min: 1, max: epochs, step: 1, value });
  return [element("label", {}, `${words} `, input), input];
}

function drawCurves(box, curves, partsAt) {
  const named = Object.entries(FORMS).map(([name, look]) => ({ look, sides: sidesOf(curves[name], look.factor) }));
  const drawn = named.filter(({ sides }) => lengthOf(sides) > 0);
  const epochs = Math.max(0, ...drawn.map(({ sides }) => lengthOf(sides)));
  if (epochs === 0) {
    box.append(element("p", { class: "quiet" }, "There are no curves: no epoch was recorded."));
    return;
  }
  const [fromLabel, from] = slider("First epoch", epochs, 1);
  const [toLabel, to] = slider("Last epoch", epochs, epochs);
  const reset = element("button", { type: "button" }, "Reset");
  const shown = element("output");
  const charts = [];

  // The charts move together; what one is told by the other it must not tell back.
  let moving = false;
  const show = (left, right) => {
    if (moving) return;
    moving = true;
    const [low, high] = wholeEpochs(left, right, epochs);
    for (const chart of charts) chart.setScale("x", { min: low, max: high });
    moving = false;
    [from.value, to.value] = [low, high];
    shown.value = `epochs ${low} to ${high} of ${epochs}`;
  };

  for (const { look, sides } of drawn) {
    const inner = element("div", { class: "chart" });
    box.append(element("figure", {}, element("figcaption", {}, look.title), inner));
    charts.push(chartOf(inner, sides, look, epochs, look === FORMS.cost ? partsAt : null, show));
  }
  if (epochs < 3) return;
  from.addEventListener("input", () => show(Math.min(Number(from.value), epochs - 1), Math.max(Number(to.value), Number(from.value) + 1)));
  to.addEventListener("input", () => show(Math.min(Number(from.value), Number(to.value) - 1), Math.max(Number(to.value), 2)));
  reset.addEventListener("click", () => show(1, epochs));
  box.append(element("div", { class: "zoom" }, fromLabel, toLabel, reset, shown));
  show(1, epochs);
}
