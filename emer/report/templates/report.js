// Sentences, clues and marks belong together: pointing at one lights up the others, clicking goes there in time.

let lit = new Set();
const box = document.getElementById("timeline");
const timeline = box && last > first ? new Timeline(box) : null;
const sentences = [...document.querySelectorAll(".sentence")];
const places = [...document.querySelectorAll(".parts li")];

function highlight(ids) {
  lit = new Set(ids);
  for (const clue of clues) clue.row.classList.toggle("lit", lit.has(clue.id));
  for (const cite of document.querySelectorAll("a.cite")) cite.classList.toggle("lit", citedBy(cite).some((id) => lit.has(id)));
  for (const sentence of sentences) sentence.classList.toggle("lit", cluesOf(sentence).some((id) => lit.has(id)));
  if (timeline) timeline.light(lit);
}

function cluesOf(node) { return node.dataset.clues.split(" ").filter(Boolean); }

// One clue, or those between the ends of a range.
function citedBy(cite) { return cite.dataset.clue ? [cite.dataset.clue] : cluesOf(cite); }

function jumpTo(id) {
  const clue = clueOf.get(id);
  if (!clue) return;
  seek(clue.start);
  highlight([id]);
}

for (const sentence of sentences) {
  const light = () => highlight(cluesOf(sentence));
  for (const name of ["pointerenter", "focus", "click"]) sentence.addEventListener(name, light);
  for (const name of ["pointerleave", "blur"]) sentence.addEventListener(name, () => highlight([]));
}
for (const cite of document.querySelectorAll("a.cite")) {
  let next = 0;
  cite.addEventListener("click", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const ids = citedBy(cite).filter((id) => clueOf.has(id)); // of very many, not all are on the page
    if (ids.length) jumpTo(ids[next++ % ids.length]);
  });
  if (!cite.dataset.clue) cite.addEventListener("pointerenter", () => highlight(cluesOf(cite)));
}
for (const clue of clues) {
  clue.row.addEventListener("pointerenter", () => highlight([clue.id]));
  clue.row.addEventListener("pointerleave", () => highlight([]));
  clue.row.addEventListener("focusin", () => highlight([clue.id]));
}
for (const button of document.querySelectorAll("button[data-seek]")) {
  button.addEventListener("click", () => seek(Number(button.dataset.seek)));
}
document.addEventListener("keydown", (event) => { if (event.key === "Escape") highlight([]); });

if (timeline) {
  const play = document.getElementById("play"), output = document.getElementById("now");
  play.hidden = !player;
  play.addEventListener("click", togglePlay);
  if (player) for (const name of ["play", "pause", "ended"]) {
    player.addEventListener(name, () => { play.textContent = player.paused ? "Play" : "Pause"; });
  }
  document.getElementById("zoom-in").addEventListener("click", () => timeline.zoom(0.5));
  document.getElementById("zoom-out").addEventListener("click", () => timeline.zoom(2));
  onTime((time) => {
    timeline.move(time);
    output.textContent = clockText(time);
    for (const place of places) {
      place.classList.toggle("now", time >= Number(place.dataset.start) && time < Number(place.dataset.end));
    }
  });
  tell(works && player.currentTime ? now() : first);
}
addEventListener("beforeprint", () => { for (const details of document.querySelectorAll("details")) details.open = true; });
