// The timeline: draws its rows, anew when it is resized or zoomed, follows the clip and is moved by people.

class Timeline extends Rows {
  constructor(box) {
    super();
    this.box = box;
    this.from = first;
    this.to = last;
    this.drag = false;
    this.marked = 0;                       // which mark Tab reaches
    new ResizeObserver(() => { if (box.clientWidth !== this.width) this.draw(); }).observe(box);
    this.draw();
  }

  draw() {
    if (this.box.clientWidth < 80) return;   // hidden, or on its way out
    const active = this.box.contains(document.activeElement) ? document.activeElement.dataset : null;
    this.width = this.box.clientWidth;
    this.narrow = this.width < 620;
    this.left = this.narrow ? 12 : 176;
    this.plot = this.width - this.left - 14;
    this.box.replaceChildren();
    this.svg = element(this.box, "svg", { role: "group", "aria-label": "timeline of the clip" });
    this.svg.classList.add("timeline-drawing");
    const clip = element(element(this.svg, "defs"), "clipPath", { id: "plot" });
    this.window = element(clip, "rect", { x: this.left - 8, y: 0, width: this.plot + 16 });
    this.ground = element(this.svg, "rect", { class: "plot-ground", width: this.width });
    this.bands = element(this.svg, "g", { "clip-path": "url(#plot)" });
    this.readings = [];
    this.marks = [];
    let y = this.axis();
    if (data.segments.length) y = this.segments(y);
    y = this.words(y);
    for (const modality of ["audio", "visual"]) y = this.group(modality, y);
    this.height = y + 8;
    this.svg.setAttribute("height", this.height);
    this.ground.setAttribute("height", this.height);
    this.window.setAttribute("height", this.height);
    this.head = element(this.svg, "line", { class: "head", y1: 8, y2: this.height });
    this.knob = element(this.svg, "circle", { class: "knob", cy: 13, r: 6 });
    this.listen();
    this.move(now());
    this.light(lit);
    if (active) this.refocus(active);
  }

  refocus(active) {
    const mark = this.marks.find((each) => each.clue.id === active.mark);
    (mark ? mark.node : this.slider).focus({ preventScroll: true });
  }

  // ---- what moves

  move(time) {
    const span = this.to - this.from;
    if (span < last - first && (time < this.from || time > this.to)) {
      this.show(time - span * 0.1, span);
      return;
    }
    const x = Math.min(Math.max(this.x(time), this.left), this.left + this.plot);
    for (const key of ["x1", "x2"]) this.head.setAttribute(key, x);
    this.knob.setAttribute("cx", x);
    this.slider.setAttribute("aria-valuenow", time.toFixed(2));
    this.slider.setAttribute("aria-valuetext", clockText(time));
    for (const { track, unit, reading } of this.readings) {
      const value = track.values[Math.round((time - track.start) / track.step)];
      reading.textContent = value === null || value === undefined ? "–" : `${value.toFixed(Math.abs(value) < 10 ? 1 : 0)} ${unit}`;
    }
    for (const { clue, node } of this.marks) node.classList.toggle("now", time >= clue.start && time <= clue.end);
  }

  show(from, span) {
    this.from = Math.max(first, Math.min(from, last - span));
    this.to = Math.min(last, this.from + span);
    this.draw();
  }

  zoom(factor) {
    const span = Math.min(last - first, Math.max(1, (this.to - this.from) * factor));
    this.show(now() - span / 2, span);
  }

  light(ids) {
    this.bands.replaceChildren();
    for (const { clue, node } of this.marks) node.classList.toggle("lit", ids.has(clue.id));
    for (const id of ids) {
      const clue = clueOf.get(id);
      if (!clue || !this.sees(clue.start, clue.end)) continue;
      const x = this.x(clue.start), width = Math.max(3, this.x(clue.end) - x);
      element(this.bands, "rect", { class: "band " + clue.letter, x, y: 0, width, height: this.height });
    }
  }

  // ---- what people do

  listen() {
    this.svg.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.target.closest(".mark")) return;
      this.drag = true;
      this.svg.setPointerCapture(event.pointerId);
      this.point(event);
    });
    this.svg.addEventListener("pointermove", (event) => this.drag && this.point(event));
    for (const name of ["pointerup", "pointercancel"]) this.svg.addEventListener(name, () => { this.drag = false; });
    this.slider.addEventListener("keydown", (event) => this.steer(event));
    this.marks.sort((a, b) => a.clue.start - b.clue.start);
    this.marked = Math.min(this.marked, Math.max(0, this.marks.length - 1));
    this.marks.forEach((mark, i) => {
      mark.node.setAttribute("tabindex", i === this.marked ? 0 : -1);
      mark.node.addEventListener("click", () => jumpTo(mark.clue.id));
      mark.node.addEventListener("keydown", (event) => this.walk(event, i));
      for (const name of ["pointerenter", "focus"]) mark.node.addEventListener(name, () => highlight([mark.clue.id]));
      for (const name of ["pointerleave", "blur"]) mark.node.addEventListener(name, () => highlight([]));
    });
  }

  point(event) { seek(this.timeAt(event.clientX - this.svg.getBoundingClientRect().left)); }

  steer(event) {
    const step = event.shiftKey ? 0.1 : 1;
    const moves = {
      ArrowLeft: now() - step, ArrowDown: now() - step, ArrowRight: now() + step, ArrowUp: now() + step,
      PageDown: now() - 10, PageUp: now() + 10, Home: first, End: last,
    };
    if (event.key === " ") togglePlay();
    else if (event.key in moves) seek(moves[event.key]);
    else return;
    event.preventDefault();
  }

  walk(event, i) {
    if (event.key === "Enter" || event.key === " ") jumpTo(this.marks[i].clue.id);
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      const next = Math.min(Math.max(i + (event.key === "ArrowRight" ? 1 : -1), 0), this.marks.length - 1);
      this.marks[this.marked].node.setAttribute("tabindex", -1);
      this.marked = next;
      this.marks[next].node.setAttribute("tabindex", 0);
      this.marks[next].node.focus();
    } else return;
    event.preventDefault();
  }
}
