// The rows of the timeline: speech, curves and marks over one time axis, drawn as SVG.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHTS = { axis: 26, segments: 62, words: 26, group: 24, lane: 26, curve: 36, flat: 24 };
const MOST_LANES = 5;
const LETTERS = { audio: "a", visual: "v", text: "t" };
const TITLES = { a: "voice", v: "face", t: "words" };
const clues = [...document.querySelectorAll(".clue")].map((row) => ({
  id: row.dataset.clue, letter: row.dataset.clue[0], start: Number(row.dataset.start), end: Number(row.dataset.end),
  title: row.dataset.title, text: row.querySelector("p bdi").textContent, event: row.dataset.event === "1", row,
}));
// A level over (nearly) the whole clip has no mark on the timeline: it would mark nothing.
for (const clue of clues) clue.marked = clue.event || clue.end - clue.start < 0.8 * (last - first);
const clueOf = new Map(clues.map((clue) => [clue.id, clue]));

function element(parent, name, attributes = {}, text = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  parent.append(made);
  return made;
}

// Each row draws itself at y and says where the next one begins.
class Rows {
  x(time) { return this.left + (time - this.from) / (this.to - this.from) * this.plot; }
  timeAt(x) { return this.from + (x - this.left) / this.plot * (this.to - this.from); }
  sees(start, end) { return end >= this.from && start <= this.to; }

  axis() {
    const height = HEIGHTS.axis;
    this.slider = element(this.svg, "g", {
      class: "axis", role: "slider", tabindex: 0, "aria-label": "time", "aria-orientation": "horizontal",
      "aria-valuemin": first, "aria-valuemax": last,
    });
    element(this.slider, "rect", { class: "axis-ground", width: this.width, height });
    for (const time of this.ticks()) {
      const x = this.x(time);
      element(this.slider, "line", { class: "tick", x1: x, x2: x, y1: height - 6, y2: height });
      const anchor = x > this.width - 40 ? "end" : x < 30 ? "start" : "middle";
      element(this.slider, "text", { x, y: 15, "text-anchor": anchor }, clockText(time).replace(".0", ""));
    }
    return height + 4;
  }

  ticks() {
    const most = Math.max(2, this.plot / 90), span = this.to - this.from;
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((s) => span / s <= most) || 7200;
    const found = [];
    for (let i = Math.ceil(this.from / step - 1e-6); i * step <= this.to + 1e-6; i++) found.push(i * step);
    return found;
  }

  segments(y) {
    const height = HEIGHTS.segments, group = element(this.svg, "g", { "clip-path": "url(#plot)" });
    this.name(y + 13, y + 34, "emotions", "colours: belief in each segment; hatched: uncertainty");
    for (const part of data.segments) {
      if (!this.sees(part.start, part.end)) continue;
      const x = this.x(part.start), width = Math.max(2, this.x(part.end) - x - 1);
      const tall = height - 26;
      element(group, "rect", { class: "uncertainty", x, y: y + 18, width, height: tall, rx: 3 });
      let bottom = y + 18 + tall;
      part.belief.forEach((share, i) => {
        bottom -= share * tall;
        if (share * tall > 0.3) element(group, "rect", { class: "label" + i % 8, x, y: bottom, width, height: share * tall });
      });
      this.fitted(group, x, y + 13, width, part.label, "strong");
      element(group.lastChild || group, "title", {}, part.label);
    }
    return y + height;
  }

  words(y) {
    const spoken = data.utterances.filter(([start, end]) => this.sees(start, end));
    const hasMarks = clues.some((clue) => clue.letter === "t" && clue.marked);
    if (!data.utterances.length && !hasMarks) return y;
    y = this.heading(y, "t");
    if (data.utterances.length) {
      const group = element(this.svg, "g", { "clip-path": "url(#plot)" });
      for (const [start, end, text] of spoken) {
        const x = this.x(start), width = Math.max(2, this.x(end) - x);
        const box = element(group, "rect", { class: "utterance", x, y: y + 2, width, height: HEIGHTS.words - 6, rx: 4 });
        element(box, "title", {}, text);
        if (!this.wordByWord(group, start, end, y)) this.fitted(group, x + 6, y + 16, width - 10, text, "spoken");
      }
      y += HEIGHTS.words;
    }
    return this.lanes(y, "t");
  }

  wordByWord(group, start, end, y) {
    const inside = data.words.filter(([from, to]) => from >= start - 0.01 && to <= end + 0.01);
    const room = inside.every(([from, , text], i) => {
      const until = i + 1 < inside.length ? inside[i + 1][0] : end;
      return this.x(until) - this.x(from) > widthOf(text, "spoken") + 4;
    });
    if (!inside.length || !room) return false;
    for (const [from, , text] of inside) element(group, "text", { class: "spoken", x: this.x(from) + 3, y: y + 16 }, text);
    return true;
  }

  group(modality, y) {
    const tracks = data.tracks.filter((track) => track.modality === modality), letter = LETTERS[modality];
    if (!tracks.length && !clues.some((clue) => clue.letter === letter && clue.marked)) return y;
    y = this.heading(y, letter);
    y = this.lanes(y, letter);
    for (const track of tracks) y = this.curve(track, y, tracks);
    return y;
  }

  heading(y, letter) {
    element(this.svg, "line", { class: "rule", x1: 0, x2: this.width, y1: y + 4, y2: y + 4 });
    const text = element(this.svg, "text", { class: "group " + letter, x: 12, y: y + 21 }, TITLES[letter]);
    text.setAttribute("font-size", "12");
    return this.narrow ? y + HEIGHTS.group + 2 : y + 8;
  }

  lanes(y, letter) {
    const ends = [];
    const shown = clues.filter((clue) => clue.letter === letter && clue.marked && this.sees(clue.start, clue.end));
    for (const clue of shown.sort((a, b) => a.start - b.start)) {
      const x = Math.max(this.left - 6, this.x(clue.start));
      let lane = ends.findIndex((end) => end <= x - 14);
      const crowded = lane < 0 && ends.length === MOST_LANES;
      if (lane < 0) lane = crowded ? ends.indexOf(Math.min(...ends)) : ends.length;
      ends[lane] = Math.max(x + 24, this.x(clue.end));
      this.mark(clue, x, y + lane * HEIGHTS.lane, crowded);
    }
    return y + Math.max(ends.length, this.narrow ? 0 : 0.6) * HEIGHTS.lane + 2;
  }

  mark(clue, x, y, crowded) {
    const middle = y + HEIGHTS.lane / 2, end = Math.max(x + 8, this.x(clue.end));
    const node = element(this.svg, "g", {
      class: "mark " + clue.letter, role: "button", tabindex: -1, "data-mark": clue.id, "clip-path": "url(#plot)",
      "aria-label": `${clue.id}, ${TITLES[clue.letter]}, ${clue.title}, at ${clockText(clue.start)}: ${clue.text}`,
    });
    element(node, "title", {}, `${clue.id} ${clue.title}: ${clue.text}`);
    element(node, "rect", { class: "hit", x: x - 11, y, width: Math.max(24, end - x + 11), height: HEIGHTS.lane, rx: 4 });
    element(node, "line", { class: "span", x1: x, x2: end, y1: middle, y2: middle });
    if (clue.letter === "a") element(node, "circle", { class: "glyph", cx: x, cy: middle, r: 6 });
    if (clue.letter === "v") element(node, "path", { class: "glyph", d: `M${x} ${middle - 7.5}l7.5 7.5l-7.5 7.5l-7.5 -7.5z` });
    if (clue.letter === "t") element(node, "rect", { class: "glyph", x: x - 5.5, y: middle - 5.5, width: 11, height: 11 });
    if (!crowded) element(node, "text", { x: x + 10, y: middle - 3 }, clue.id);
    this.marks.push({ clue, node });
  }

  curve(track, y, tracks) {
    const unitless = track.unit === "probability", height = track.modality === "visual" || unitless ? HEIGHTS.flat : HEIGHTS.curve;
    const nameY = this.narrow ? y + 12 : y + height / 2 + 4;
    if (this.narrow) y += 14;
    const [low, high] = unitless ? [0, 1] : scaleOf(track, tracks);
    const level = (value) => y + height - 3 - Math.max(0, value - low) / (high - low) * (height - 6);
    const group = element(this.svg, "g", { class: LETTERS[track.modality], "clip-path": "url(#plot)" });
    const runs = this.runs(track);
    const line = (run) => run.map(([time, value]) => `${this.x(time).toFixed(1)} ${level(value).toFixed(1)}`).join("L");
    for (const run of runs) {
      const floor = level(Math.min(Math.max(0, low), high)).toFixed(1);
      if (track.modality === "visual" || unitless) {
        const [begin, end] = [this.x(run[0][0]), this.x(run[run.length - 1][0])].map((v) => v.toFixed(1));
        element(group, "path", { class: "area", d: `M${begin} ${floor}L${line(run)}L${end} ${floor}Z` });
      }
      element(group, "path", { class: "curve", d: run.length > 1 ? "M" + line(run) : `M${line(run)}h1` });
    }
    const unit = { probability: "", semitones: "st", "inter-ocular %": "%" }[track.unit] ?? track.unit;
    const reading = this.name(nameY, nameY, track.name, null);
    this.readings.push({ track, unit, reading });
    return y + height;
  }

  runs(track) {
    const found = [];
    let run = null;
    track.values.forEach((value, i) => {
      const time = track.start + i * track.step;
      const seen = value !== null && time >= this.from - track.step && time <= this.to + track.step;
      if (!seen) { run = null; return; }
      if (!run) found.push(run = []);
      run.push([time, value]);
    });
    return found;
  }

  // The name of a row, in the margin or above it where the page is narrow, and room for its value at the playhead.
  name(narrowY, y, text, hint) {
    const x = 14, edge = this.narrow ? this.width - 14 : this.left - 14;
    const short = text.replace(/ \(.*\)$/, "");
    const label = element(this.svg, "text", { class: "row-name", x, y: this.narrow ? narrowY : y });
    if (!this.narrow || !hint) label.textContent = widthOf(short, "") > 108 && !this.narrow ? short.replace(/ (up|down)$/, "") : short;
    element(label, "title", {}, hint ?? text);
    return element(this.svg, "text", { x: edge, y: this.narrow ? narrowY : y, "text-anchor": "end" });
  }

  fitted(parent, x, y, width, text, kind) {
    const start = Math.max(x, this.left), room = x + width - start;
    let cut = text;
    while (cut.length > 1 && widthOf(cut, kind) > room) cut = cut.replace(/…$/, "").slice(0, -1).trimEnd() + "…";
    if (cut.length > 2 || cut === text) element(parent, "text", { class: kind, x: start, y }, cut);
  }
}

// The voice fills its row. A curve of the face has zero in its row, and at least a third of the liveliest one's range,
// so that a still face looks still.
function scaleOf(track, tracks) {
  const face = track.modality === "visual";
  let [low, high] = rangeOf(track, face);
  if (track.unit === "dB") low = Math.max(low, high - 50);   // digital silence would flatten all the rest
  const alike = face ? tracks.filter((other) => other.unit === track.unit).map((other) => rangeOf(other, true)) : [];
  const least = Math.max(...alike.map(([a, b]) => b - a), 0) / 3;
  return high > low || least ? [low, Math.max(high, low + least)] : [low - 1, low + 1];
}

function rangeOf(track, withZero) {
  const values = track.values.filter((value) => value !== null);
  if (withZero || !values.length) values.push(0);
  return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
}

const pencil = document.createElement("canvas").getContext("2d");
const FONTS = { strong: "600 11px", spoken: "12px" };
function widthOf(text, kind) {
  pencil.font = (FONTS[kind] || "11px") + " " + getComputedStyle(document.body).fontFamily;
  return pencil.measureText(text).width;
}
