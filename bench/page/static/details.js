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

function difference([a, b]) {
  return a.map((row, i) => row.map((count, j) => b[i][j] - count));
}

function matrices({ classes, sides }, names) {
  if (classes.length > MOST_CLASSES) return [sides.length > 1 ? mostChanged(classes, sides, names) : mostMistaken(classes, sides[0])];
  const wrong = (i, j) => i !== j;
  const strongest = Math.max(...sides.map((cells) => largest(cells, wrong)));
  const plain = { words: String, diagonal: false };
  const each = sides.map((cells, side) => [`matrix of-${"ab"[side]}`, matrix([names[side]], classes, cells, strongest, plain)]);
  if (sides.length === 1) return each;
  const changed = difference(sides);
  return [...each, ["matrix of-both", matrix([`${names[1]} − ${names[0]}`], classes, changed, largest(changed, () => true), { words: signed, diagonal: true })]];
}

// Of a matrix that is too large to look at: its cells with the largest counts, [size, row, column].
function strongestCells(cells, keep) {
  const every = cells.flatMap((row, i) => row.map((count, j) => [Math.abs(count), i, j]));
  return every.filter(([size, i, j]) => size > 0 && keep(i, j)).sort((one, other) => other[0] - one[0]).slice(0, MOST_PAIRS);
}

function pairs(words, classes, heads, places, figures) {
  const lines = places.map(([, i, j]) => [classes[i], ...[classes[j], ...figures(i, j)].map((text) => element("td", {}, String(text)))]);
  return ["pairs", table([`The ${places.length} ${words}, of ${classes.length} × ${classes.length}`], ["true", "predicted", ...heads], lines)];
}

function mostChanged(classes, [a, b], names) {
  const changed = difference([a, b]);
  const heads = [...names, `${names[1]} − ${names[0]}`];
  return pairs("cells that differ most", classes, heads, strongestCells(changed, () => true), (i, j) => [a[i][j], b[i][j], signed(changed[i][j])]);
}

function mostMistaken(classes, cells) {
  return pairs("most frequent mistakes", classes, ["examples"], strongestCells(cells, (i, j) => i !== j), (i, j) => [cells[i][j]]);
}

function fillConfusion(section, confusion, names) {
  section.hidden = false;
  for (const [name, made] of matrices(confusion, names))
    section.querySelector(".matrices").append(element("div", { class: `scroll ${name}`, tabindex: "0", role: "group", "aria-label": "confusion matrix" }, made));
}

function picture(example, nameOf, names, pictures) {
  const what = `test example ${example.index}`;
  const uri = pictures[example.picture];
  const shown = uri ? element("img", { src: uri, alt: what, loading: "lazy" }) : element("span", { class: "no-picture" }, `#${example.index}`);
  const answer = (answered, side) => element("span", { class: answered === example.label ? "right" : "wrong" }, `${names[side]} ${nameOf(answered)} ${answered === example.label ? "✓" : "✗"}`);
  const label = element("b", { title: what }, `is ${nameOf(example.label)}`);
  return element("figure", {}, shown, element("figcaption", {}, label, ...example.answers.map(answer)));
}

function fillExamples(section, { examples, confusion, names }, pictures) {
  section.hidden = false;
  const nameOf = (number) => confusion?.classes[number] ?? String(number);
  for (const [side, name] of names.entries()) {
    const only = examples.filter(({ answers, label }) => answers[side] === label);
    if (only.length === 0) continue;
    const grid = element("div", { class: "pictures" }, ...only.map((example) => picture(example, nameOf, names, pictures)));
    section.append(element("h5", {}, `Only ${name} is right: ${only.length} of these ${examples.length}`), grid);
  }
}

function fill(body, drawn) {
  const row = drawn.rows[body.dataset.row];
  drawCurves(body.querySelector(".charts"), drawn, row.chart);
  if (row.confusion) fillConfusion(body.querySelector(".confusion"), row.confusion, row.names);
  if (row.examples?.length) fillExamples(body.querySelector(".examples"), row, drawn.pictures);
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

for (const details of document.querySelectorAll("details[data-row]")) {
  let filled = false;
  const draw = () => {
    if (details.open && !filled) fill(details, drawn);
    filled ||= details.open;
  };
  details.addEventListener("toggle", draw);
  draw();
}
