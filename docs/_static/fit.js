// A formula that is wider than the screen is drawn smaller, so that only code scrolls sideways. MathJax measures in ex,
// so the size of the font scales all of a formula. Readers can enlarge it: it is a vector.
const ROUNDS = 3; // a margin in pixels does not shrink with the font

function fit(box) {
  const formula = box.querySelector("mjx-container");
  if (!formula) return;
  formula.style.fontSize = "";
  for (let round = 0; round < ROUNDS && box.scrollWidth > box.clientWidth; round++) {
    const size = parseFloat(getComputedStyle(formula).fontSize);
    formula.style.fontSize = `${(0.99 * size * box.clientWidth) / box.scrollWidth}px`;
  }
}

const fitAll = () => document.querySelectorAll("div.math").forEach(fit);

addEventListener("load", () => window.MathJax?.startup?.promise.then(fitAll));
addEventListener("resize", fitAll);
