// The page of `repair review --web`. An article is rendered once; a decision changes only the nodes that it is about.
// Text from articles goes into text nodes only, never into markup.
"use strict";

const $ = (id) => document.getElementById(id);
const make = (tag, text = "", of = null) => {
  const node = document.createElement(tag);
  node.textContent = text;
  of?.append(node);
  return node;
};

const counted = (number) => number.toLocaleString("en");

const STATES = { reject: "rejected", ignore: "ignored always", skip: "skipped" };

let batch = { articles: [], keys: [] };
let entry = -1;          // the article shown
let places = {};         // its places by number
let order = [];          // their numbers, in the order of the text
let marks = new Map();   // their nodes
let here = null;         // the place chosen

async function call(path, body) {
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  try {
    const response = await fetch(path, options);
    const answer = await response.json();
    $("message").textContent = answer.error ?? "";
    return response.ok ? answer : null;
  } catch {
    $("message").textContent = "The review has ended, or its server can't be reached. Everything decided is kept.";
    return null;
  }
}

async function open(number, place = null) {
  const article = await call(`/api/article/${number}`);
  if (!article) return;
  entry = number;
  places = article.places;
  order = article.pieces.filter((piece) => typeof piece === "number");
  marks = new Map();
  const page = document.createDocumentFragment();
  let line = make("p", "", page);
  for (const piece of article.pieces) {
    if (typeof piece === "number") {
      const mark = make("span", "", line);
      mark.className = "f";
      mark.dataset.place = piece;
      mark.setAttribute("role", "button");
      mark.tabIndex = -1;
      marks.set(piece, mark);
      draw(piece);
    } else {
      const [first, ...rest] = piece.split("\n");
      line.append(first);
      for (const text of rest) line = make("p", text, page);
    }
  }
  $("article").replaceChildren(page);
  $("article").scrollTop = 0;
  const sources = new Set(order.flatMap((i) => places[i].suggestions.flatMap((s) => s[2].split("+"))));
  $("source").replaceChildren(new Option("any", ""), ...[...sources].sort().map((name) => new Option(name, name)));
  for (const kind of ["text", "jsonl"]) $(kind).href = `/api/export/${kind}/${number}`;
  $("patch").href = `/api/export/diff/${number}`;
  $("name").textContent = document.title = batch.articles[number].name;
  filter();
  tally();
  go(place ?? order.find((i) => !places[i].decision && passes(i)) ?? order[0] ?? null);
}

/** Show a place as it stands: what was found, and what takes its place. */
function draw(i) {
  const mark = marks.get(i);
  const { observed, confidence, decision } = places[i];
  const rewrites = decision && (decision.action === "accept" || decision.action === "own");
  mark.textContent = "";
  if (rewrites) {
    make("del", observed, mark);
    make("ins", decision.text, mark);
  } else {
    mark.textContent = observed;
  }
  // A button's content is not read out as deleted and inserted.
  const state = !decision ? "open" : rewrites ? `replaced by ${decision.text}` : STATES[decision.action];
  mark.setAttribute("aria-label", `${observed}, ${state}`);
  mark.classList.toggle("done", Boolean(rewrites));
  mark.classList.toggle("kept", Boolean(decision) && !rewrites);
  mark.classList.toggle("sure", !decision && confidence >= 0.9);
  mark.classList.toggle("mid", !decision && confidence >= 0.7 && confidence < 0.9);
}

function passes(i) {
  const place = places[i];
  const words = $("search").value.trim().toLowerCase();
  const source = $("source").value;
  return place.confidence >= Number($("confidence").value)
    && (!source || place.suggestions.some((s) => s[2].split("+").includes(source)))
    && (!words || [place.observed, ...place.suggestions.map((s) => s[0])].some((text) => text.toLowerCase().includes(words)));
}

function filter() {
  $("least").value = $("confidence").value;
  const filtered = Number($("confidence").value) || $("source").value || $("search").value.trim();
  $("menu").firstElementChild.textContent = filtered ? "Filtered" : "More";
  for (const [i, mark] of marks) mark.classList.toggle("out", !passes(i));
}

function tally() {
  const { open, total } = batch.articles[entry];
  const all = batch.articles.reduce((sum, a) => [sum[0] + a.open, sum[1] + a.total], [0, 0]);
  $("bar").max = all[1] || 1;
  $("bar").value = all[1] - all[0];
  $("count").textContent = `${counted(total - open)} of ${counted(total)}`;
  const rows = $("queue").querySelectorAll("button");
  batch.articles.forEach((a, n) => {
    const text = a.open ? `${counted(a.open)} open of ${counted(a.total)}` : "done";
    if (rows[n].lastChild.textContent !== text) rows[n].lastChild.textContent = text;
    rows[n].setAttribute("aria-pressed", String(n === entry));
  });
}

/** Choose a place: mark it, bring it into view, and fill the panel. */
function go(i) {
  const focused = document.activeElement;
  const before = marks.get(here);
  before?.classList.remove("here");
  if (before) before.tabIndex = -1;
  here = i;
  const place = places[i];
  $("panel").hidden = !place;
  if (!place) return;
  const mark = marks.get(i);
  mark.classList.add("here");
  mark.tabIndex = 0;  // the Tab key stops at this place alone, not at thousands
  mark.scrollIntoView({ block: "nearest" });
  const view = $("article").getBoundingClientRect();
  const box = mark.getBoundingClientRect();
  if (box.bottom > view.bottom - view.height / 4) $("article").scrollTop += box.top - view.top - view.height / 3;
  $("what").textContent = place.observed;
  const held = place.decision ? ` · decided: ${place.decision.action} ${place.decision.text}` : "";
  const chosen = $("suggestions").contains(focused);
  make("small", `confidence ${place.confidence.toFixed(2)}${held}`, $("what"));
  $("suggestions").replaceChildren(...place.suggestions.map(([text, chance, source], n) => {
    const row = document.createElement("li");
    const button = make("button", "", row);
    button.dataset.nth = n;
    make("kbd", n + 1, button);
    make("b", text, button);
    make("small", `${chance.toFixed(2)} ${source}`, button).title = source;
    return row;
  }));
  $("evidence").replaceChildren(...place.evidence.map((line) => make("li", line)));
  if (focused !== $("own")) $("own").value = "";  // a quick hand types already for the place to come
  if (focused === before && before) mark.focus({ preventScroll: true });
  else if (chosen) ($("suggestions").querySelector("button") ?? $("own")).focus();
}

function step(by) {
  for (let n = 1, at = order.indexOf(here); n <= order.length; n++) {
    const i = order[(at + by * n + order.length * n) % order.length];
    if (passes(i)) return go(i);
  }
}

/** The next open place; in the next article where this one is done. */
function onward() {
  const at = order.indexOf(here);
  const next = [...order.slice(at + 1), ...order.slice(0, at)].find((i) => !places[i].decision && passes(i));
  if (next !== undefined) return go(next);
  const more = batch.articles.findIndex((a, n) => n !== entry && a.open);
  if (more >= 0 && !batch.articles[entry].open) return open(more);
  go(here);
  if (batch.articles.every((a) => !a.open)) $("message").textContent = "All is decided. Finish ends the review.";
  else if (batch.articles[entry].open) $("message").textContent = "Nothing open passes the filter.";
}

/** Ask where "ignore always" goes. */
function askWhere() {
  $("ignored").textContent = `“${places[here].observed}” will not be reported any more.`;
  $("where").showModal();
}

/** The answer to that; empty for none. */
function settle(where) {
  if (!$("where").open) return;
  $("where").close();
  if (where) return decide("ignore", { where });
}

async function decide(action, extra = {}) {
  if (here === null) return;
  if (action === "ignore" && !batch.ignoring && !extra.where) return askWhere();
  const answer = await call("/api/decide", { place: here, action, scope: $("scope").value, ...extra });
  if (!answer) {
    $("own").value ||= extra.text ?? "";  // to be mended, not typed again
    return;
  }
  batch.ignoring ??= extra.where;
  take(answer);
  $("scope").value = "place";
  await onward();
  const several = answer.changed.length > 1 ? `${counted(answer.changed.length)} places decided. ` : "";
  $("message").textContent = several + $("message").textContent;
}

function take({ changed, articles }) {
  for (const [i, number, decision] of changed) {
    if (number !== entry) continue;
    places[i].decision = decision;
    draw(i);
  }
  for (const [number, figures] of Object.entries(articles)) Object.assign(batch.articles[number], figures);
  tally();
}

async function turn(which) {
  const answer = await call(`/api/${which}`, {});
  if (!answer) return;
  take(answer);
  if (!answer.changed.length) $("message").textContent = `Nothing to ${which}.`;
  else if (answer.changed[0][1] === entry) go(answer.changed[0][0]);
  else await open(answer.changed[0][1], answer.changed[0][0]);
}

function show(view) {
  document.body.dataset.view = view;
  for (const name of ["before", "diff", "after"]) $(name).setAttribute("aria-pressed", String(name === view));
}

const keys = {
  y: () => decide("accept"), n: () => decide("reject"), i: () => decide("ignore"), s: () => decide("skip"),
  a: () => decide("accept", { scope: "article" }), A: () => decide("accept", { scope: "batch" }),
  d: () => decide("reject", { scope: "article" }), D: () => decide("reject", { scope: "batch" }),
  u: () => turn("undo"), r: () => turn("redo"), j: () => step(1), k: () => step(-1),
  q: () => end(),
};
// These wait for no answer: what is typed next is for the field.
const atOnce = {
  e: () => $("own").focus(), "?": () => $("keys").showModal(),
  f: () => { $("menu").open = true; $("confidence").focus(); },
  "/": () => { $("menu").open = true; $("search").focus(); },
};
const wheres = { u: "user", p: "project" };

async function end() {
  const answer = await call("/api/finish", {});
  if (answer) $("message").textContent = "Finished. Everything decided is kept; this tab can be closed.";
}

let busy = 0;  // what is at work or waits for its turn
let last = Promise.resolve();

/** One after the other, so that each acts on what the one before has left. */
function inTurn(act) {
  busy++;
  last = last.then(act).catch(console.error).then(() => { busy--; });
}

/** What a key means when its turn has come. */
function press(key) {
  if ($("where").open) return key in wheres ? settle(wheres[key]) : undefined;
  return /^[1-9]$/.test(key) ? decide("accept", { nth: key - 1 }) : keys[key]?.();
}

document.addEventListener("keydown", (event) => {
  if ($("where").open) {
    if (event.key in wheres) inTurn(() => settle(wheres[event.key]));
    return;
  }
  const mark = event.target.closest(".f");
  if (mark && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    return inTurn(() => go(Number(mark.dataset.place)));
  }
  const entered = event.key === "Enter" && event.target.closest("#menu input");
  if (entered || (event.key === "Escape" && !event.target.closest("dialog[open]"))) {
    event.preventDefault();  // Escape would empty the search
    $("menu").open = false;
    $("article").focus();
    if (entered && here !== null && !passes(here)) inTurn(() => step(1));
    return;
  }
  // A closed dialog may hold the focus until the next frame: only an open one keeps its keys.
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog[open]")) return;
  if (!(event.key in keys || event.key in atOnce || event.key in wheres || /^[1-9]$/.test(event.key))) return;
  event.preventDefault();
  if (event.key in atOnce) atOnce[event.key]();
  else if (!busy || !event.repeat) inTurn(() => press(event.key));  // a key held down waits for nothing
});
/** A click means what is seen: while an answer is under way that is about to change. */
const clicked = (act) => { if (!busy) inTurn(act); };
$("article").addEventListener("click", (event) => {
  const mark = event.target.closest(".f");
  if (mark) inTurn(() => go(Number(mark.dataset.place)));
});
$("suggestions").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) clicked(() => decide("accept", { nth: Number(button.dataset.nth) }));
});
$("answers").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) clicked(() => decide(button.dataset.action));
});
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("own").value;
  $("own").value = "";
  $("article").focus();
  inTurn(() => decide("own", { text }));
});
$("queue").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) inTurn(() => open(Number(button.dataset.entry)));
});
for (const name of ["before", "diff", "after"]) $(name).addEventListener("click", () => show(name));
for (const name of ["confidence", "source", "search"]) $(name).addEventListener("input", filter);
for (const name of ["undo", "redo"]) $(name).addEventListener("click", () => clicked(() => turn(name)));
$("where").addEventListener("submit", (event) => {
  event.preventDefault();
  inTurn(() => settle(event.submitter.value));
});
$("help").addEventListener("click", atOnce["?"]);
$("finish").addEventListener("click", () => inTurn(end));

async function start() {
  show("diff");
  const answer = await call("/api/batch");
  if (!answer) return;
  batch = answer;
  $("queue").classList.toggle("single", batch.articles.length < 2);
  batch.articles.forEach((article, n) => {
    const button = make("button", article.name, make("li", "", $("queue").firstElementChild));
    button.dataset.entry = n;
    make("small", "", button);
  });
  for (const [key, meaning] of batch.keys) {
    make("dt", key, $("keys").querySelector("dl"));
    make("dd", meaning, $("keys").querySelector("dl"));
  }
  for (const [where, meaning] of Object.entries(batch.wheres)) {
    $("where").querySelector(`button[value=${where}] span`).textContent = meaning[0].toUpperCase() + meaning.slice(1);
  }
  $("project").textContent = batch.project;
  if (batch.lost.length) $("message").textContent = `The article changed: ${batch.lost.join("; ")}`;
  const first = batch.articles.findIndex((article) => article.open);
  await open(Math.max(0, first));
}
start();
