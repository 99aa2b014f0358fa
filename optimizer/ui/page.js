// A state of levers is sent to the server whenever it changes; what comes back is drawn. The latest move wins.
const vega = import("./vega.js").then(() => window.vegaEmbed);
const $ = (id) => document.getElementById(id);
const TAB = Math.random().toString(36).slice(2) + Date.now().toString(36);
const MOST_PINS = 6, MOST_UNDONE = 200;
const EMPTY = { levers: {}, whatifs: [], given: {}, chances: {}, offers: {}, locks: [], edits: [] };
const dark = matchMedia("(prefers-color-scheme: dark)"), narrow = matchMedia("(max-width: 680px)");

let start = null, state = structuredClone(EMPTY), scenario = {}, past = [], pins = [], shown = null;
let move = 0, running = false, waiting = false, chart = { key: "", view: null }, checked = false, offers = [];

function make(tag, attributes = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...inside);
  return element;
}

function say(words, kind = "") {
  $("status").textContent = words;
  $("status").className = kind;
}

async function ask(path, record, options = {}) {
  const sent = record === undefined ? {} : { method: "POST", body: JSON.stringify(record), headers: { "content-type": "application/json" } };
  return fetch(path, { ...sent, credentials: "same-origin", ...options });
}

const changes = () => Object.values(state).reduce((count, part) => count + (Array.isArray(part) ? part.length : Object.keys(part).length), 0);

// ---- the state: moved, undone, kept in the link

function moved(change, again = false) {
  const before = structuredClone(state);
  change(state);
  if (JSON.stringify(before) === JSON.stringify(state)) return;
  if (!again) past.push(before);
  if (past.length > MOST_UNDONE) past.shift();
  remember();
  controls();
  solve();
}

function undo() {
  if (!past.length) return;
  state = past.pop();
  remember();
  controls();
  solve();
}

function remember() {
  const said = Object.fromEntries(Object.entries(state).filter(([, part]) => (Array.isArray(part) ? part.length : Object.keys(part).length)));
  history.replaceState(null, "", Object.keys(said).length ? `#${encodeURIComponent(JSON.stringify(said))}` : location.pathname);
}

function recalled() {
  try {
    const said = JSON.parse(decodeURIComponent(location.hash.slice(1)));
    for (const [key, empty] of Object.entries(EMPTY)) {
      const part = said[key];
      if (part && typeof part === "object" && Array.isArray(part) === Array.isArray(empty)) state[key] = part;
    }
  } catch { /* no state, or none that can be read */ }
}

// ---- asking: one request at a time, and then for the latest state only

async function solve() {
  move += 1;
  waiting = true;
  checked = false;
  document.body.dataset.state = "working";
  if (running) return;
  running = true;
  while (waiting) {
    waiting = false;
    await once(move);
  }
  running = false;
}

async function once(number) {
  const asked = structuredClone(state);
  const look = { dark: dark.matches, narrow: narrow.matches, chart: chart.key, scenario };
  try {
    const answer = await ask("api/case", { tab: TAB, move: number, state: asked, look });
    if (answer.status === 409) return;
    if (!answer.ok || !answer.body) {
      const said = await answer.json().catch(() => ({ problems: [`The server answered ${answer.status}.`] }));
      if (!waiting) told({ problems: said.problems || ["The server refused."] });
      return;
    }
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      text += value || "";
      const lines = text.split("\n");
      text = lines.pop();
      for (const line of lines) if (line) await told(JSON.parse(line), number);
      if (done) return;
      if (waiting) { reader.cancel().catch(() => {}); return; }
    }
  } catch (error) {
    if (!waiting) told({ problems: [`The server does not answer (${error.message}). Is gwplan ui still running?`] });
  }
}

async function told(line, number) {
  if (line.answer) await draw(line.answer);
  else if (line.noplan) noplan(line.noplan);
  else if (line.why) why(line.why);
  else if (line.locks) lockCosts(line.locks);
  else if (line.problems || line.failed) problems(line.problems || line.failed);
  else if (line.checked && number === move) {
    checked = true;
    document.body.dataset.state = "checked";
    say(`${$("status").dataset.words} Checked.`, "checked");
  }
}

// ---- what is shown

async function draw(answer) {
  shown = answer;
  offers = answer.offers;
  $("problem").hidden = true;
  document.body.classList.remove("stale");
  facts(answer.facts);
  now(answer.now);
  list("next", answer.next.slice(1));
  $("next-title").textContent = answer.next[0] || "Next decision";
  years(answer.years);
  contracts(answer.contracts);
  list("warnings", answer.warnings, "warning-lines");
  scenarios(answer.scenario);
  for (const id of ["pin", "export"]) $(id).disabled = id === "pin" && pins.length >= MOST_PINS;
  await picture(answer.chart);
  const worth = answer.facts[0], count = changes();
  const words = `${count ? `${count} change${count > 1 ? "s" : ""}: ` : "As written: "}${worth.name.toLowerCase()} ${worth.text}${worth.change ? `, ${worth.change}` : ""}. ${answer.now.words}.`;
  $("status").dataset.words = words;
  say(words);
  document.body.dataset.solved = answer.seconds ? Object.values(answer.seconds).reduce((sum, each) => sum + each, 0) : 0;
  document.body.dataset.state = "drawn";
  document.body.dataset.move = move;
  bindOffers();
}

function facts(rows) {
  $("facts").replaceChildren(...rows.map((row) => make("div", {},
    make("dt", {}, row.name),
    make("dd", {}, make("b", {}, row.text), make("span", { class: "change" }, row.change && row.change !== "no change" ? `${row.change} against ${row.base}` : row.change),
      make("span", { class: "soft" }, row.about)))));
}

function now(said) {
  $("now").hidden = false;
  $("now-title").textContent = said.when;
  $("now-words").textContent = `${said.words}.`;
  $("now-words").className = said.changed ? "changed" : "";
  table($("now-table"), ["", "base", "this case"], said.rows.map(([name, was, is, differs]) => [name, was, differs ? make("strong", {}, is) : is]), "GW of the first period");
  $("now-lines").replaceChildren(...said.lines.map((line) => make("li", {}, line)));
}

function years(said) {
  $("over-time").hidden = false;
  const rows = said.rows.map((row) => [row.name, ...row.cells.map((cell) => make("span", {}, cell.gw, cell.change ? make("i", {}, ` ${cell.change}`) : ""))]);
  table($("years"), ["", ...said.spans], rows, "GW by year, mean of the year; in brackets what differs from the base");
}

function contracts(rows) {
  $("contracts").hidden = !rows.length;
  table($("contracts-table"), ["", "", "GW", "base", "change"], rows.map((row) => [row.name, row.what, row.gw, row.base, row.change]), "Expected GW of contracts given back and of offers signed");
}

function list(section, lines, inside = `${section}-lines`) {
  $(section).hidden = !lines.length;
  $(inside).replaceChildren(...lines.map((line) => make("li", {}, line)));
}

function table(element, header, rows, caption) {
  const cell = (content, tag, scope) => make(tag, scope ? { scope } : {}, content);
  element.replaceChildren(
    make("caption", { class: "hidden" }, caption),
    make("thead", {}, make("tr", {}, ...header.map((name) => (name ? cell(name, "th", "col") : make("td"))))),
    make("tbody", {}, ...rows.map(([first, ...rest]) => make("tr", {}, cell(first, "th", "row"), ...rest.map((each) => cell(each, "td"))))),
  );
}

function scenarios(said) {
  $("scenario-words").textContent = said.words
    ? `${said.words} (${said.chance}): worth there ${said.worth}` : "Expected over all scenarios. Dotted: what the base has in use.";
}

async function picture(said) {
  if (said.spec) {
    chart.view?.finalize();
    chart.key = said.key;
    const spec = { ...said.spec, datasets: said.rows };
    const made = await (await vega)("#chart", spec, { mode: "vega-lite", renderer: "svg", ast: true, actions: false, defaultStyle: false, tooltip: false });
    chart.view = made.view;
  } else {
    for (const [name, rows] of Object.entries(said.rows)) chart.view.data(name, rows);
    await chart.view.runAsync();
  }
  $("key").replaceChildren(...said.entries.map((entry) => {
    const swatch = make("span", { class: `swatch ${entry.fill.startsWith("#") ? "" : entry.fill}` });
    if (entry.fill.startsWith("#")) swatch.style.backgroundColor = entry.fill;
    return make("li", {}, swatch, entry.text);
  }));
}

function problems(lines, title = "This cannot be planned") {
  $("problem").hidden = false;
  $("problem-title").textContent = title;
  $("problem-lines").replaceChildren(...lines.map((line) => make("li", {}, line)));
  $("ways").replaceChildren(undoButton());
  document.body.classList.add("stale");
  document.body.dataset.state = "problem";
  document.body.dataset.move = move;
  say(`${title}: ${lines[0] || ""}`, "problem");
}

function undoButton() {
  const button = make("button", { type: "button" }, "Undo the last move");
  button.addEventListener("click", undo);
  button.disabled = !past.length;
  return button;
}

function noplan(words) {
  problems([words], "No plan keeps every demand");
  $("ways").replaceChildren(make("p", { class: "soft" }, "Looking for the demands in conflict and for ways out ..."));
}

function why(said) {
  const because = said.because.map((words) => `because ${words}`);
  const lines = said.conflict.map((part) => part.words + (part.where ? ` (${part.where})` : ""));
  $("problem-lines").replaceChildren(...[...lines, ...because].map((line) => make("li", {}, line)));
  const buttons = said.repairs.map((way) => {
    const button = make("button", { type: "button", class: "way" }, `${way.words} (worth then $${way.worth_bn.toFixed(1)}bn)`);
    button.addEventListener("click", () => moved((s) => { s.edits = [...s.edits, ...way.edits]; }));
    return button;
  });
  $("ways").replaceChildren(make("p", {}, said.repairs.length ? "Ways out, each checked by solving:" : "No single change was found that makes a plan possible."), ...buttons, undoButton());
  say(`No plan keeps every demand. ${lines.length} demands are in conflict, ${said.repairs.length} ways out.`, "problem");
  document.body.dataset.state = "explained";
}

function lockCosts(costs) {
  [...$("lock-list").children].forEach((item, place) => {
    const bn = costs[place];  // in words; none: the rest does not fit without it
    if (bn) item.querySelector(".cost").textContent = `costs ${bn}`;
  });
}

// ---- pinned cases

function pin() {
  if (!shown || pins.length >= MOST_PINS) return;
  pins.push({ name: `Case ${pins.reduce((most, each) => Math.max(most, each.number), 0) + 1}`, number: pins.reduce((most, each) => Math.max(most, each.number), 0) + 1, state: structuredClone(state), figures: shown.figures, facts: shown.facts, now: shown.now.words });
  drawPins();
  say(`Pinned as ${pins[pins.length - 1].name}.`);
}

function drawPins() {
  $("pins").hidden = !pins.length;
  $("pin").disabled = pins.length >= MOST_PINS || !shown;
  if (!pins.length) return;
  const name = (group, of) => `${group.replace(/_(bn|gw)$/, "").replaceAll("_", " ")}${of ? `: ${of}` : ""}`;
  const keys = new Map(), base = new Map();
  const columns = [...pins].map((each) => {
    const texts = new Map();
    for (const fact of each.facts) { keys.set(fact.name, fact.name); texts.set(fact.name, fact.text); base.set(fact.name, fact.base); }
    keys.set("now", "first period"); texts.set("now", each.now);
    for (const [group, of, unit, , text, was] of each.figures) {
      if (group === "objective_bn" || group === "npv_bn") continue;  // at the top as worth and cash
      const key = `${group} ${of}`;
      keys.set(key, `${name(group, of)}, ${unit}`);
      texts.set(key, text);
      base.set(key, was);
    }
    return texts;
  });
  const only = $("pins-differ").checked;
  const rows = [...keys].filter(([key]) => !only || new Set([...columns.map((texts) => texts.get(key) ?? "-"), ...(pins.length === 1 && base.has(key) ? [base.get(key)] : [])]).size > 1)
    .map(([key, words]) => [words, base.get(key) || "", ...columns.map((texts) => texts.get(key) ?? "-")]);
  table($("pins-table"), ["figure", "base", ...pins.map((each) => each.name)], rows, "Pinned cases side by side");
  const head = $("pins-table").tHead.rows[0];
  pins.forEach((each, place) => {
    const back = make("button", { type: "button", "aria-label": `Go back to ${each.name}` }, "open");
    const away = make("button", { type: "button", "aria-label": `Unpin ${each.name}` }, "unpin");
    const label = make("input", { value: each.name, maxlength: "30", "aria-label": `Name of ${each.name}` });
    back.addEventListener("click", () => moved((s) => Object.assign(s, structuredClone(each.state))));
    away.addEventListener("click", () => { pins.splice(place, 1); drawPins(); $("pin").focus(); });
    label.addEventListener("change", () => { each.name = label.value || each.name; drawPins(); });
    head.cells[place + 2].replaceChildren(label, make("br"), back, away);
  });
}

// ---- controls

function slider(id, label, unit, least, most, step, value, origin, on) {
  const range = make("input", { type: "range", id, min: String(least), max: String(most), step: String(step) });
  const box = make("input", { type: "text", inputmode: "decimal", class: "number", "aria-label": `${label}, as a number`, maxlength: "14" });
  const back = make("button", { type: "button", class: "back", "aria-label": `${label}: as written` }, "↺");
  const show = (v) => {
    if (document.activeElement !== box) box.value = String(v);
    range.value = String(v);
    range.setAttribute("aria-valuetext", `${v} ${unit}`);
    back.disabled = v === origin();
  };
  range.addEventListener("input", () => on(Number(range.value)));
  box.addEventListener("change", () => {
    const v = Number(box.value.replace(",", "."));
    if (box.value.trim() !== "" && Number.isFinite(v)) on(Math.min(most, Math.max(least, v)));
    box.value = range.value;
  });
  back.addEventListener("click", () => on(origin()));
  const row = make("div", { class: "lever" }, make("label", { for: id }, label, make("span", { class: "soft" }, unit ? ` ${unit}` : "")), range, box, back);
  return { row, show };
}

const bound = [];

function build() {
  const groups = new Map();
  start.movable.levers.forEach((lever, number) => {
    if (!groups.has(lever.group)) groups.set(lever.group, make("fieldset", {}, make("legend", {}, lever.group)));
    const made = slider(`lever-${number}`, lever.label, lever.unit, lever.least, lever.most, lever.step, lever.start, () => lever.start,
      (value) => moved((s) => { s.levers = { ...s.levers }; if (value === lever.start) delete s.levers[lever.label]; else s.levers[lever.label] = value; }));
    made.row.title = lever.moves.join("\n");
    groups.get(lever.group).append(made.row);
    bound.push(() => made.show(state.levers[lever.label] ?? lever.start));
  });
  $("lever-groups").replaceChildren(...groups.values());
  for (const whatif of start.movable.whatifs) addWhatif(whatif);
  $("factors").hidden = !start.movable.factors.length;
  start.movable.factors.forEach((factor, number) => addFactor(factor, number));
  for (const name of start.movable.pathways) $("lock-pathway").append(make("option", { value: name }, name));
  for (const name of start.movable.pools) $("lock-pool").append(make("option", { value: name }, name));
  $("lock-from").value = start.movable.start;
  offers = start.movable.offers;
  bindOffers();
}

function addWhatif(whatif) {
  $("whatifs").hidden = false;
  const box = make("input", { type: "checkbox" });
  box.addEventListener("change", () => moved((s) => { s.whatifs = box.checked ? [...s.whatifs, whatif.name] : s.whatifs.filter((name) => name !== whatif.name); }));
  $("whatifs").append(make("label", { class: "switch", title: whatif.about }, box, whatif.name));
  bound.push(() => { box.checked = state.whatifs.includes(whatif.name); });
}

function addFactor(factor, number) {
  const known = make("select", { id: `given-${number}` }, make("option", { value: "" }, "not known yet"),
    ...factor.outcomes.map((each) => make("option", { value: each.name }, each.name)));
  known.addEventListener("change", () => moved((s) => { s.given = { ...s.given }; if (known.value) s.given[factor.name] = known.value; else delete s.given[factor.name]; }));
  const view = make("select", { id: `scenario-${number}` }, make("option", { value: "" }, "all"),
    ...factor.outcomes.map((each) => make("option", { value: each.name }, each.name)));
  view.addEventListener("change", () => { if (view.value) scenario[factor.name] = view.value; else delete scenario[factor.name]; solve(); });
  $("scenario").hidden = false;
  $("scenario").append(make("label", { class: "inline" }, factor.name, view));
  const box = make("div", { class: "factor" }, make("label", { for: `given-${number}` }, `${factor.name} `, make("span", { class: "soft" }, `revealed ${factor.revealed}`)), known);
  const which = make("select", { "aria-label": `Outcome of ${factor.name} whose chance is moved` }, ...factor.outcomes.map((each) => make("option", { value: each.name }, each.name)));
  const origin = () => factor.outcomes.find((each) => each.name === which.value).probability;
  const made = slider(`chance-${number}`, `chance`, "", 0.01, 0.99, 0.01, origin(), origin,
    (value) => moved((s) => { s.chances = { ...s.chances }; if (value === origin()) delete s.chances[factor.name]; else s.chances[factor.name] = [which.value, value]; }));
  made.row.querySelector("label").prepend(which, " ");
  which.addEventListener("change", () => moved((s) => { s.chances = { ...s.chances }; delete s.chances[factor.name]; }) || made.show(origin()));
  if (factor.outcomes.length > 1) box.append(made.row);
  $("factors").append(box);
  bound.push(() => {
    known.value = state.given[factor.name] ?? "";
    const chance = state.chances[factor.name];
    if (chance) which.value = chance[0];
    made.show(chance ? chance[1] : origin());
    for (const part of made.row.querySelectorAll("input, select")) part.disabled = Boolean(known.value);
  });
}

function bindOffers() {
  const old = [...$("offers").querySelectorAll("select")].map((each) => each.dataset.name);
  if (JSON.stringify(old) !== JSON.stringify(offers)) {
    for (const part of [...$("offers").children].slice(1)) part.remove();
    for (const name of offers) {
      const choice = make("select", { "data-name": name }, ...[["", "let the plan decide"], ["sign", "sign"], ["decline", "decline"]].map(([value, words]) => make("option", { value }, words)));
      choice.addEventListener("change", () => moved((s) => { s.offers = { ...s.offers }; if (choice.value) s.offers[name] = choice.value; else delete s.offers[name]; }));
      $("offers").append(make("label", { class: "switch" }, name, choice));
    }
    $("offers").hidden = !offers.length;
  }
  for (const choice of $("offers").querySelectorAll("select")) choice.value = state.offers[choice.dataset.name] ?? "";
}

function chips(id, part, cost) {
  if (JSON.stringify([...$(id).children].map((item) => item.dataset.text)) === JSON.stringify(state[part])) return;
  $(id).replaceChildren(...state[part].map((text, place) => {
    const away = make("button", { type: "button", "aria-label": `Take back: ${text}` }, "×");
    away.addEventListener("click", () => { moved((s) => { s[part] = s[part].filter((_, at) => at !== place); }); $(part === "locks" ? "lock-add" : "edit-add").focus(); });
    return make("li", { "data-text": text }, make("code", {}, text), ...(cost ? [make("span", { class: "cost soft" })] : []), away);
  }));
}

function controls() {
  for (const show of bound) show();
  chips("lock-list", "locks", true);
  chips("edit-list", "edits", false);
  bindOffers();
  $("undo").disabled = !past.length;
  $("reset").disabled = !changes();
}

const quoted = (name) => (/^[^\s[\]=<>@"\\]+$/.test(name) ? name : JSON.stringify(name));

function addLock() {
  const pool = $("lock-pool").value, from = $("lock-from").value.trim(), until = $("lock-until").value.trim();
  const dates = from || until ? ` @ ${from}${until ? `..${until}` : ""}` : "";
  const text = `${quoted($("lock-pathway").value)}${pool ? `[${quoted(pool)}]` : ""} ${$("lock-side").value} ${$("lock-gw").value.trim().replace(",", ".")}${dates}`;
  moved((s) => { s.locks = [...s.locks.filter((each) => each !== text), text]; });
}

function addEdit() {
  const text = $("edit-text").value.trim();
  if (text) moved((s) => { s.edits = [...s.edits, text]; });
  $("edit-text").value = "";
}

async function save(event) {
  event.preventDefault();
  const name = $("save-name").value.trim();
  const answer = await ask("api/save", { name, state });
  const said = await answer.json();
  if (!answer.ok) { say(`Not saved: ${said.problems.join(" ")}`, "problem"); return; }
  say(`Saved as whatifs/${said.saved}: ${said.command}`, "checked");
  addWhatif({ name, about: "saved here" });
  controls();
  openSave(false);
}

function openSave(open) {
  $("save-form").hidden = !open;
  $("save-open").setAttribute("aria-expanded", String(open));
  (open ? $("save-name") : $("save-open")).focus();
}

async function exported() {
  const kind = $("export").value;
  if (!kind) return;
  $("export").value = "";
  say(`Making the ${kind} ...`);
  const answer = await ask(`api/export/${kind}`, { state });
  if (!answer.ok) { say(`Not exported: ${(await answer.json()).problems.join(" ")}`, "problem"); return; }
  const link = make("a", { href: URL.createObjectURL(await answer.blob()), download: `${start.name}-${kind}${answer.headers.get("x-ending")}` });
  link.click();
  URL.revokeObjectURL(link.href);
  say(`The ${kind} is among your downloads.`, "checked");
}

async function begin() {
  recalled();
  const query = [...(dark.matches ? ["dark"] : []), ...(narrow.matches ? ["narrow"] : [])].join("&");
  const answer = await ask(`api/start?${query}`);
  if (!answer.ok) { say(await answer.text(), "problem"); return; }
  start = await answer.json();
  document.title = `${start.name}: what if`;
  $("name").textContent = start.name;
  $("about").textContent = start.about;
  if (!start.saves) { $("save-open").disabled = true; $("save-open").title = "A kept run or a workbook is not written into: export the what-if instead"; }
  build();
  controls();
  if (start.kept) {
    await draw(start.kept);
    say("This is the plan as it was kept; the levers are being made ready ...");
  }
  solve();
}

$("undo").addEventListener("click", undo);
$("reset").addEventListener("click", () => moved((s) => Object.assign(s, structuredClone(EMPTY))));
$("pin").addEventListener("click", pin);
$("pins-differ").addEventListener("change", drawPins);
$("link").addEventListener("click", async () => {
  try { await navigator.clipboard.writeText(location.href); say("The link to this case is copied."); } catch { say(`The link to this case: ${location.href}`); }
});
$("lock-add").addEventListener("click", addLock);
$("edit-add").addEventListener("click", addEdit);
$("edit-text").addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); addEdit(); } });
$("controls").addEventListener("submit", (event) => event.preventDefault());
$("save-open").addEventListener("click", () => openSave($("save-form").hidden));
$("save-form").addEventListener("submit", save);
$("export").addEventListener("change", exported);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "z" && event.target.type !== "text") { event.preventDefault(); undo(); }
  if (event.key === "Escape" && !$("save-form").hidden) openSave(false);
});
for (const media of [dark, narrow]) media.addEventListener("change", () => { chart.key = ""; solve(); });
addEventListener("hashchange", () => { past.push(state); state = structuredClone(EMPTY); recalled(); controls(); solve(); });
addEventListener("pagehide", () => ask("api/bye", { tab: TAB }, { keepalive: true }).catch(() => {}));
begin();
