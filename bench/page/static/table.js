// Sorts and filters tables in which each row, with its details, is a <tbody> of its own.
"use strict";

for (const table of document.querySelectorAll("table.sortable")) {
  const bodies = [...table.tBodies];
  const heads = [...table.tHead.rows[0].cells];

  const valueOf = (body, column) => {
    const value = body.rows[0].cells[column].dataset.value;
    return value === "" || Number.isNaN(Number(value)) ? value : Number(value);
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true }));

  // What is missing stands last whichever way the rest is sorted.
  const sorted = (column, sign) =>
    [...bodies].sort((one, other) => {
      const [a, b] = [valueOf(one, column), valueOf(other, column)];
      return (a === "") - (b === "") || sign * compare(a, b);
    });
  const order = (column, direction) => {
    heads.forEach((head, place) => head.hasAttribute("aria-sort") && head.setAttribute("aria-sort", place === column ? direction : "none"));
    table.append(...(direction === "none" ? bodies : sorted(column, direction === "ascending" ? 1 : -1)));
  };
  heads.forEach((head, column) =>
    head.querySelector("button")?.addEventListener("click", () => order(column, head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending")),
  );

  const form = document.querySelector(`form[data-table="${table.id}"]`);
  const fields = [...form.elements].filter((field) => field.name && field.name !== "find");
  const shown = (body) =>
    form.elements.find.value.toLowerCase().split(/\s+/).every((word) => body.dataset.find.includes(word)) &&
    fields.every(({ name, value }) => !value || body.dataset[name] === value);
  const filter = () => {
    for (const body of bodies) body.hidden = !shown(body);
    form.querySelector("output").value = `${bodies.filter((body) => !body.hidden).length} of ${bodies.length} ${form.dataset.rows}`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    order(-1, "none");
    setTimeout(filter); // the fields are emptied after this event
  });
}
