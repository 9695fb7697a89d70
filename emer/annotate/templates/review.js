// One draft at a time; decisions stay in this browser until they are saved to a file.

const { schema, name, status: statusText, drafts } = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const key = (mark) => `emer-review-${mark}`;
const signs = { accept: "✓", edit: "✎", reject: "✗" };
const names = { accept: "accepted", edit: "edited", reject: "rejected" };
let decided = remembered(), shown = [], place = 0, editing = false;

// ---------------------------------------------------------------- decisions

// A mark stands for a draft, so that decisions outlive a page that is written anew.
function remembered() {
  const found = {};
  try {
    for (const { mark } of drafts) {
      const one = JSON.parse(localStorage.getItem(key(mark)));
      if (one && one.decision in signs) found[mark] = one;
    }
  } catch { /* nothing can be read here: see remember() */ }
  return found;
}

function remember(mark) {
  try {
    if (decided[mark]) localStorage.setItem(key(mark), JSON.stringify(decided[mark]));
    else localStorage.removeItem(key(mark));
  } catch {
    trouble("This browser keeps nothing for this page: save your decisions before you close it.");
  }
}

function trouble(text) { at("trouble").textContent = text; at("trouble").hidden = !text; }

function decide(decision, more = {}) {
  const draft = shown[place];
  if (!draft) return;
  decided[draft.mark] = { mark: draft.mark, id: draft.id, decision, ...more };
  remember(draft.mark);
  editing = false;
  if (at("filter").value === "open") return select(place);
  select(Math.min(place + 1, shown.length - 1));
}

function undo() {
  if (!shown[place]) return;
  delete decided[shown[place].mark];
  remember(shown[place].mark);
  editing = false;
  select(place);
}

function keepEdit() {
  const draft = shown[place];
  const explanation = at("text").value.trim();
  const labels = at("words").value.split(/[,，、;]/).map((word) => word.trim()).filter(Boolean);
  if (!explanation || !labels.length) return trouble("An edit needs an explanation and a label; reject the draft instead.");
  trouble("");
  document.activeElement.blur(); // a hidden field keeps the focus until the next frame, and would swallow the next key
  const same = explanation === draft.explanation && labels.join() === draft.labels.join();
  decide(same ? "accept" : "edit", same ? {} : { explanation, labels });
}

function save() {
  const known = new Set(drafts.map((draft) => draft.mark));
  const decisions = Object.values(decided).filter((one) => known.has(one.mark));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify({ schema, decisions }, null, 1) + "\n"], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function load(file) {
  try {
    const found = JSON.parse(await file.text());
    if (found.schema !== schema) throw new Error("it is no file of decisions");
    const known = new Set(drafts.map((draft) => draft.mark));
    const mine = found.decisions.filter((one) => known.has(one.mark) && one.decision in signs);
    for (const one of mine) {
      decided[one.mark] = one;
      remember(one.mark);
    }
    trouble(mine.length < found.decisions.length ? `${found.decisions.length - mine.length} decisions belong to other drafts.` : "");
    select(place);
  } catch (error) {
    trouble(`${file.name} cannot be used: ${error.message}`);
  }
}

// ---------------------------------------------------------------- what is shown

const filters = {
  all: () => true,
  open: (draft) => !decided[draft.mark],
  kept: (draft) => draft.kept,
  rejected: (draft) => !draft.kept,
  decided: (draft) => decided[draft.mark],
};

function select(number) {
  const before = shown[place];
  shown = drafts.filter(filters[at("filter").value]);
  place = Math.max(0, Math.min(number, shown.length - 1));
  at("draft").hidden = !shown.length;
  at("nothing").hidden = shown.length > 0;
  list();
  if (shown.length) draw(shown[place], shown[place] !== before);
}

function list() {
  const count = Object.values(decided).filter((one) => drafts.some((draft) => draft.mark === one.mark)).length;
  at("progress").textContent = `${count} of ${drafts.length} decided`;
  at("list").replaceChildren(...shown.map((draft, number) => {
    const one = decided[draft.mark], button = make("button", draft.kept ? "" : "filtered");
    button.append(make("span", one ? one.decision : "", one ? signs[one.decision] : ""), make("span", "", draft.id));
    button.setAttribute("aria-label", `${draft.id}, ${one ? names[one.decision] : "undecided"}`);
    if (number === place) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => { editing = false; select(number); });
    const item = make("li");
    item.append(button);
    return item;
  }));
  const now = at("list").querySelector("[aria-current]");
  if (now) now.scrollIntoView({ block: "nearest" });
}

function draw(draft, fresh) {
  const one = decided[draft.mark], edited = one && one.decision === "edit" ? one : null;
  at("id").textContent = draft.id;
  at("state").replaceChildren(
    ...(one ? [make("span", one.decision, names[one.decision])] : [make("span", "", "undecided")]),
    ...(draft.kept ? [] : [make("span", "reject", `the filter rejects it: ${draft.told}`)]),
  );
  if (edited) at("prose").replaceChildren(make("p", "", edited.explanation));
  else at("prose").replaceChildren(...draft.sentences.flatMap((sentence) => [sentenceOf(sentence), " "]));
  const labels = edited ? edited.labels : draft.labels;
  at("labels").textContent = labels.length ? `Labels: ${labels.join(", ")}` : "No label";
  at("gold").textContent = draft.gold.length ? `People said: ${draft.gold.join(", ")}` : "";
  at("dropped").replaceChildren(...draft.dropped.map((one) => {
    const item = make("li", "", `${one.text} `);
    item.append(make("b", "", one.why));
    return item;
  }));
  at("dropped-part").hidden = !draft.dropped.length;
  at("said").textContent = draft.said;
  at("said-title").hidden = !draft.said;
  at("clues").replaceChildren(...draft.clues.map(clueOf));
  at("prose").hidden = at("labels").hidden = editing;
  at("editor").hidden = !editing;
  at("edit").replaceChildren(editing ? "Keep edit " : "Edit ", make("kbd", "", editing ? "Ctrl ⏎" : "E"));
  at("undo").replaceChildren(editing ? "Leave edit " : "Undo ", make("kbd", "", editing ? "Esc" : "U"));
  at("accept").disabled = at("reject").disabled = editing;
  at("undo").disabled = !one && !editing;
  at("previous").disabled = place === 0;
  at("next").disabled = place >= shown.length - 1;
  if (fresh) play(draft);
}

function sentenceOf(sentence) {
  const span = make("span", `sentence ${sentence.status}`);
  span.title = `${sentence.status}: ${statusText[sentence.status]}`;
  for (const piece of sentence.text.split(/(\[[avt]\d+[^\]]*\])/)) {
    const cited = /^\[([avt]\d+)/.exec(piece);
    if (!cited) { span.append(piece); continue; }
    const button = make("button", `cite ${cited[1][0]}`, piece.slice(1, -1));
    button.type = "button";
    button.addEventListener("click", () => jump(cited[1]));
    span.append(button);
  }
  return span;
}

function clueOf(clue) {
  const item = make("li");
  item.id = `clue-${clue.id}`;
  const time = make("button", "time", `${clue.start.toFixed(1)}–${clue.end.toFixed(1)} s`);
  time.type = "button";
  time.addEventListener("click", () => jump(clue.id));
  const text = make("span", "text", clue.text);
  if (clue.doubt) text.append(make("span", "doubt", clue.doubt));
  item.append(make("span", `cite ${clue.id[0]}`, clue.id), time, text);
  return item;
}

function make(tag, names = "", text = "") {
  const node = document.createElement(tag);
  if (tag === "button") node.type = "button";
  if (names) node.className = names;
  if (text) node.textContent = text;
  return node;
}

// ---------------------------------------------------------------- the clip

function player() { return ["video", "audio"].map(at).find((node) => !node.hidden) || null; }

function play(draft) {
  for (const kind of ["video", "audio", "image"]) {
    const node = at(kind), mine = draft.media.kind === kind;
    node.hidden = !mine;
    if (mine) node.src = draft.media.source;
    else if (node.getAttribute("src")) { node.removeAttribute("src"); if (node.load) node.load(); }
  }
  at("media-note").textContent = draft.media.note;
  at("media-note").hidden = !draft.media.note;
  const node = player();
  if (node && draft.from) node.addEventListener("loadedmetadata", () => { node.currentTime = draft.from; }, { once: true });
}

function jump(id) {
  const draft = shown[place], clue = draft.clues.find((one) => one.id === id);
  for (const item of at("clues").children) item.classList.toggle("lit", item.id === `clue-${id}`);
  if (clue && player()) player().currentTime = clue.start;
}

for (const kind of ["video", "audio", "image"]) {
  at(kind).addEventListener("error", () => {
    if (!at(kind).getAttribute("src")) return;
    at("media-note").textContent = "This browser cannot play the clip; open it in a player.";
    at("media-note").hidden = false;
  });
}

// ---------------------------------------------------------------- hands

function toggleEdit() {
  if (editing) return keepEdit();
  const draft = shown[place];
  if (!draft) return;
  const one = decided[draft.mark], edited = one && one.decision === "edit" ? one : draft;
  at("text").value = edited.explanation;
  at("words").value = edited.labels.join(", ");
  editing = true;
  draw(draft, false);
  at("text").focus();
}

function leaveEdit() { editing = false; trouble(""); draw(shown[place], false); at("edit").focus(); }

function move(by) { editing = false; select(place + by); }

at("accept").addEventListener("click", () => decide("accept"));
at("reject").addEventListener("click", () => decide("reject"));
at("edit").addEventListener("click", toggleEdit);
at("undo").addEventListener("click", () => (editing ? leaveEdit() : undo()));
at("previous").addEventListener("click", () => move(-1));
at("next").addEventListener("click", () => move(1));
at("save").addEventListener("click", save);
at("load").addEventListener("click", () => at("file").click());
at("file").addEventListener("change", () => { if (at("file").files[0]) load(at("file").files[0]); at("file").value = ""; });
at("filter").addEventListener("change", () => { editing = false; select(0); });

const keys = {
  a: () => decide("accept"), r: () => decide("reject"), e: toggleEdit, u: undo,
  j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1),
  " ": () => { const node = player(); if (node) node.paused ? node.play() : node.pause(); },
};

document.addEventListener("keydown", (event) => {
  if (editing && event.key === "Escape") return leaveEdit();
  if (editing && event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); return keepEdit(); }
  const typing = event.target.closest("textarea, input, select, video, audio");
  const press = event.key === " " && event.target.closest("button");
  if (editing || typing || press || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (act) { event.preventDefault(); act(); }
});

select(0);
