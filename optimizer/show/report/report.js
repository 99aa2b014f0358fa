"use strict";
// Places of a chart tell the row of its table that is theirs; entries of a key dim the other layers.
const tip = document.getElementById("tip");
const contents = document.querySelector(".contents details"), narrow = matchMedia("(max-width: 1099px)");

// Contents stay in sight: beside a wide page, folded above a narrow one; what a link leads to is unfolded.
function fold() {
  contents.open = !narrow.matches;
}

function unfold() {
  const at = document.getElementById(location.hash.slice(1)), folded = at && at.closest("details");
  if (folded) folded.open = true;
}

// What scrolls sideways says so.
function hint() {
  for (const part of document.querySelectorAll(".scroll")) part.toggleAttribute("data-more", part.scrollWidth > part.clientWidth + 1);
}

fold();
unfold();
hint();
narrow.addEventListener("change", fold);
addEventListener("hashchange", unfold);
addEventListener("resize", hint);
document.addEventListener("toggle", hint, true);
contents.addEventListener("click", (event) => {
  if (narrow.matches && event.target.closest("a")) contents.open = false;
});

function rowOf(draw, number) {
  const table = draw.parentElement.querySelector("details table");
  const row = table && table.tBodies[0].rows[number];
  return row && { names: [...table.tHead.rows[0].cells].map((c) => c.textContent), cells: [...row.cells].map((c) => c.textContent) };
}

function tell(draw, spot, x, y) {
  const found = rowOf(draw, Number(spot.dataset.row));
  if (!found) return;
  clear();
  spot.classList.add("on");
  const head = document.createElement("b");
  head.textContent = found.cells[0];
  tip.replaceChildren(head, ...found.cells.slice(1).map((cell, i) => {
    const line = document.createElement("span"), amount = document.createElement("i");
    amount.textContent = cell;
    line.append(found.names[i + 1], amount);
    return line;
  }));
  tip.hidden = false;
  const room = document.documentElement.clientWidth, width = tip.offsetWidth;
  const left = x + 16 + width > room ? Math.max(4, x - 16 - width) : x + 16;
  tip.style.left = `${left + scrollX}px`;
  tip.style.top = `${Math.max(4, y - tip.offsetHeight / 2) + scrollY}px`;
}

function clear() {
  tip.hidden = true;
  for (const spot of document.querySelectorAll(".spots > .on")) spot.classList.remove("on");
}

function dim(figure, layers) {
  const shown = layers && layers.split(" ");
  for (const mark of figure.querySelectorAll("[data-layer]")) {
    mark.classList.toggle("dim", Boolean(shown) && !shown.includes(mark.dataset.layer));
  }
}

function pressed(figure) {
  const button = figure.querySelector('.key button[aria-pressed="true"]');
  return button && button.dataset.layers;
}

// Of charts to choose from, one is shown; without this script all are.
for (const choice of document.querySelectorAll(".choice")) {
  const chosen = choice.querySelector("select"), panels = [...choice.nextElementSibling.children];
  const show = () => {
    panels.forEach((panel, i) => { panel.hidden = i !== chosen.selectedIndex; });
    hint();
  };
  choice.hidden = false;
  chosen.addEventListener("change", show);
  show();
}

for (const draw of document.querySelectorAll(".draw")) {
  draw.addEventListener("pointermove", (event) => {
    const spot = event.target.closest("[data-row]");
    if (spot) tell(draw, spot, event.clientX, event.clientY);
    else clear();
  });
  draw.addEventListener("pointerleave", clear);
  draw.addEventListener("blur", clear);
  draw.addEventListener("keydown", (event) => {
    const spots = [...draw.querySelectorAll("[data-row]")].filter((spot) => spot.getBoundingClientRect().width > 0);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") clear();
    if (!step || !spots.length) return;
    event.preventDefault();
    const at = spots.findIndex((spot) => spot.classList.contains("on"));
    const next = spots[at < 0 ? (step > 0 ? 0 : spots.length - 1) : Math.min(Math.max(at + step, 0), spots.length - 1)];
    const box = next.getBoundingClientRect();
    tell(draw, next, box.right, box.top + box.height / 2);
  });
}

for (const button of document.querySelectorAll(".key button")) {
  const figure = button.closest("figure");
  button.addEventListener("pointerenter", () => dim(figure, button.dataset.layers));
  button.addEventListener("pointerleave", () => dim(figure, pressed(figure)));
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    for (const other of figure.querySelectorAll(".key button")) other.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", String(on));
    dim(figure, pressed(figure));
  });
}
