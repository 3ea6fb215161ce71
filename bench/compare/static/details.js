// Opens a row, and draws what its details hold when they are first seen.
"use strict";

const MOST_CLASSES = 30;
const MOST_PAIRS = 20;
const signed = (count) => (count > 0 ? `+${count}` : count < 0 ? `−${-count}` : "0");

function table(caption, heads, lines) {
  const head = element("tr", {}, ...heads.map((words) => element("th", { scope: "col", title: words }, words)));
  const body = lines.map(([first, ...rest]) => element("tr", {}, element("th", { scope: "row", title: first }, first), ...rest));
  return element("table", {}, element("caption", {}, ...caption), element("thead", {}, head), element("tbody", {}, ...body));
}

// `strongest`: the count off the diagonal that gets the full colour. The diagonal has none: it would drown the rest.
function matrix(caption, classes, cells, strongest, { words, diagonal }) {
  const cell = (count, row, column) => {
    const made = element("td", { class: row === column ? "diagonal" : "" }, words(count));
    if (count === 0) made.classList.add("zero");
    if (row !== column || diagonal) {
      made.style.setProperty("--share", Math.min(1, Math.abs(count) / strongest).toFixed(3));
      made.classList.add(count < 0 ? "less" : "more");
    }
    return made;
  };
  const lines = cells.map((row, place) => [classes[place], ...row.map((count, column) => cell(count, place, column))]);
  return table(caption, ["true", ...classes], lines);
}

const largest = (cells, keep) => Math.max(1, ...cells.flatMap((row, i) => row.filter((_, j) => keep(i, j)).map(Math.abs)));

function matrices({ classes, a, b }) {
  const difference = a.map((row, i) => row.map((count, j) => b[i][j] - count));
  if (classes.length > MOST_CLASSES) return [mostChanged(classes, a, b, difference)];
  const wrong = (i, j) => i !== j;
  const strongest = Math.max(largest(a, wrong), largest(b, wrong));
  const plain = { words: String, diagonal: false };
  return [
    ["matrix of-a", matrix(["A"], classes, a, strongest, plain)],
    ["matrix of-b", matrix(["B"], classes, b, strongest, plain)],
    ["matrix of-both", matrix(["B − A"], classes, difference, largest(difference, () => true), { words: signed, diagonal: true })],
  ];
}

function mostChanged(classes, a, b, difference) {
  const cells = difference.flatMap((row, i) => row.map((count, j) => [Math.abs(count), i, j]));
  const first = cells.filter(([size]) => size > 0).sort((one, other) => other[0] - one[0]).slice(0, MOST_PAIRS);
  const lines = first.map(([, i, j]) => [classes[i], ...[classes[j], a[i][j], b[i][j], signed(difference[i][j])].map((words) => element("td", {}, String(words)))]);
  return ["pairs", table([`The ${first.length} cells that differ most, of ${classes.length} × ${classes.length}`], ["true", "predicted", "A", "B", "B − A"], lines)];
}

function fillConfusion(section, confusion) {
  section.hidden = false;
  for (const [name, made] of matrices(confusion))
    section.querySelector(".matrices").append(element("div", { class: `scroll ${name}`, tabindex: "0", role: "group", "aria-label": "confusion matrix" }, made));
}

function picture(example, nameOf, pictures) {
  const what = `test example ${example.index}`;
  const uri = pictures[example.picture];
  const shown = uri ? element("img", { src: uri, alt: what, loading: "lazy" }) : element("span", { class: "no-picture" }, `#${example.index}`);
  const answer = (letter, answered) => element("span", { class: answered === example.label ? "right" : "wrong" }, `${letter} ${nameOf(answered)} ${answered === example.label ? "✓" : "✗"}`);
  const label = element("b", { title: what }, `is ${nameOf(example.label)}`);
  return element("figure", {}, shown, element("figcaption", {}, label, answer("A", example.a), answer("B", example.b)));
}

function fillExamples(section, { examples, confusion }, pictures) {
  section.hidden = false;
  const nameOf = (number) => confusion?.classes[number] ?? String(number);
  for (const [letter, side] of [["A", "a"], ["B", "b"]]) {
    const only = examples.filter((example) => example[side] === example.label);
    if (only.length === 0) continue;
    const grid = element("div", { class: "pictures" }, ...only.map((example) => picture(example, nameOf, pictures)));
    section.append(element("h5", {}, `Only ${letter} is right: ${only.length} of these ${examples.length}`), grid);
  }
}

function fill(body, { rows, pictures }) {
  const row = rows[body.dataset.row];
  drawCurves(body.querySelector(".charts"), row.curves, row.parts_at);
  if (row.confusion) fillConfusion(body.querySelector(".confusion"), row.confusion);
  if (row.examples.length) fillExamples(body.querySelector(".examples"), row, pictures);
}

const drawn = JSON.parse(document.getElementById("data").textContent);
for (const body of document.querySelectorAll("tbody[data-row]")) {
  const button = body.querySelector("button.open");
  const details = body.querySelector("tr.details");
  let filled = false;
  const toggle = () => {
    details.hidden = !details.hidden;
    button.setAttribute("aria-expanded", String(!details.hidden));
    if (!filled) fill(body, drawn); // after it is shown: a chart needs to know its width
    filled = true;
  };
  body.rows[0].addEventListener("click", () => getSelection().isCollapsed && toggle());
}
