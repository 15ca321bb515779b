"use strict";
/* Draws one run: a lane for each task, time downwards. Only the rows in view are in the
 document, so that ten thousand steps scroll as twenty do. Texts are set as text, never
 as markup. What the page does with it is in finding.js, which follows. */
const NS = "http://www.w3.org/2000/svg";
const MOST_ON_PAPER = 6000;
const HEIGHTS = [2, 4, 8, 14, 20, 28];
const WORDS = {
  "read": "reads", "write": "writes", "read-item": "reads", "write-item": "writes", "read-all": "reads all of",
  "write-all": "changes", "acquire": "takes", "release": "releases", "try-acquire": "tries", "timeout": "gives up",
  "spawn": "starts", "begin": "begins", "end": "ends", "join": "waits for", "sleep": "sleeps", "yield": "yields",
  "clock": "reads the clock", "io": "calls", "enter": "takes", "exit": "releases", "loop": "goes round", "note": "",
  "call": "calls", "return": "returns from", "waits": "waits for",
};
const SIGNS = new Set(["waits", "acquire", "release", "enter", "exit", "spawn", "begin", "end", "join", "io", "note", "try-acquire", "timeout", "sleep"]);
const MEMORY = new Set(["read", "write", "read-item", "write-item", "read-all", "write-all"]);
const [NUMBER, TASK, KIND, WHAT, PLACE, BEFORE, AFTER, SHARED] = [0, 1, 2, 3, 4, 5, 6, 7];

function make(name, attributes, text) {
  const made = document.createElementNS(NS, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  return made;
}

/* Pairs of steps, of which the first lets the second happen. */
function edgesOf(run) {
  const found = [], started = new Map(), ended = new Map(), given = new Map();
  const lanes = new Map(run.lanes.map((lane) => ["task " + lane.number, lane.number]));
  const text = (number) => number < 0 ? "" : run.texts[number];
  for (const step of run.steps) {
    const what = text(step[WHAT]), task = step[TASK], number = step[NUMBER];
    const other = lanes.get(what);
    if (step[KIND] === "spawn" && other !== undefined) started.set(other, number);
    else if (step[KIND] === "begin" && started.has(task)) found.push({ from: started.get(task), to: number, words: "started here" });
    else if (step[KIND] === "end") ended.set(task, number);
    else if (step[KIND] === "join" && ended.has(other)) found.push({ from: ended.get(other), to: number, words: "waited for its end" });
    else if (step[KIND] === "release" || step[KIND] === "exit") given.set(what, [number, task]);
    else if ((step[KIND] === "acquire" || step[KIND] === "enter") && given.has(what)) {
      const [from, giver] = given.get(what);
      if (giver !== task) found.push({ from, to: number, words: `${what} goes from one to the other` });
      given.delete(what);
    }
  }
  return found;
}

class Picture {
  constructor(holder, run, options) {
    this.run = run;
    this.options = options;
    // Tasks of one host stand together; those of several hosts come last.
    this.lanes = [...run.lanes];
    if (run.lanes.some((lane) => lane.host))
      this.lanes.sort((one, other) => (one.host || "\uffff").localeCompare(other.host || "\uffff") || one.number - other.number);
    this.lane = new Map(this.lanes.map((lane, index) => [lane.number, index]));
    this.locks = new Map();
    for (const hold of run.holds) if (!this.locks.has(hold.name)) this.locks.set(hold.name, this.locks.size);
    this.switches = new Map(run.switches.map((one) => [one.step, one]));
    this.pair = new Set(run.pair);
    this.edges = edgesOf(run);
    this.zoom = 4;
    this.cursor = -1;
    this.onchoose = () => {};
    this.build(holder);
    this.filter("key");
  }

  build(holder) {
    this.header = document.createElement("div");
    this.header.className = "lanes";
    this.header.setAttribute("aria-hidden", "true");
    const view = document.createElement("div");
    view.className = "view";
    this.scroller = document.createElement("div");
    this.scroller.className = "scroller";
    this.scroller.tabIndex = 0;
    this.scroller.setAttribute("role", "group");
    this.scroller.setAttribute("aria-label", this.options.label);
    this.space = document.createElement("div");
    this.space.className = "space";
    this.svg = make("svg", { role: "img", "aria-label": this.options.label });
    this.space.append(this.svg);
    this.scroller.append(this.space);
    const overview = document.createElement("div");
    overview.className = "overview";
    overview.setAttribute("aria-hidden", "true");
    this.canvas = document.createElement("canvas");
    overview.append(this.canvas);
    view.append(this.scroller, overview);
    holder.append(this.header, view);
    if (this.locks.size) {
      const list = document.createElement("ul");
      list.className = "legend";
      for (const [name, number] of [...this.locks].slice(0, 12)) {
        const item = document.createElement("li"), sign = make("svg", { width: 8, height: 14, "aria-hidden": "true" });
        sign.append(make("rect", { width: 5, height: 14, class: "lock" + number % 6 }));
        item.append(sign, name);
        list.append(item);
      }
      holder.append(list);
    }
    this.scroller.addEventListener("scroll", () => this.later());
    this.scroller.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("mousemove", (event) => this.point(event));
    this.svg.addEventListener("click", (event) => this.point(event));
    overview.addEventListener("click", (event) => {
      const box = this.canvas.getBoundingClientRect();
      this.scroller.scrollTop = (event.clientY - box.top) / box.height * this.total() - this.scroller.clientHeight / 2;
    });
    this.scroller.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.closer(event.deltaY < 0 ? 1 : -1);
    }, { passive: false });
    new ResizeObserver(() => this.size()).observe(this.scroller);
  }

  filter(kind) {
    const at = this.cursor >= 0 ? this.rows[this.cursor][NUMBER] : -1;
    const around = new Set();
    for (const one of this.run.switches) if (one.preemption) { around.add(one.step); around.add(one.step - 1); }
    this.rows = kind === "all" ? this.run.steps : this.run.steps.filter((step) =>
      step[SHARED] || this.pair.has(step[NUMBER]) || around.has(step[NUMBER]) || step[NUMBER] === this.options.parted
      || (SIGNS.has(step[KIND]) && !(step[KIND] === "io" && this.text(step[WHAT]).endsWith(" done"))
          && !((step[KIND] === "acquire" || step[KIND] === "release") && !step[SHARED])));
    if (kind !== "all") this.rows = this.rows.filter((step, row, rows) => !this.passing(rows, row, around));
    if (!this.rows.length) this.rows = this.run.steps;
    this.cursor = at >= 0 ? Math.min(this.row(at), this.rows.length - 1) : -1;
    this.size();
  }

  /* A lock that is taken and given back with nothing between is no news. */
  passing(rows, row, around) {
    const alike = (one, other) => one && other && one[TASK] === other[TASK] && one[WHAT] === other[WHAT]
      && one[KIND] === "acquire" && other[KIND] === "release" && !around.has(one[NUMBER]) && !around.has(other[NUMBER])
      && !this.pair.has(one[NUMBER]) && !this.pair.has(other[NUMBER]);
    return alike(rows[row], rows[row + 1]) || alike(rows[row - 1], rows[row]);
  }

  text(number) { return number < 0 ? "" : this.run.texts[number]; }
  get rowHeight() { return HEIGHTS[this.zoom]; }
  total() { return this.rows.length * this.rowHeight + 30; }

  /* The first row whose step is not before this one. */
  row(step) {
    let low = 0, high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle][NUMBER] < step) low = middle + 1; else high = middle;
    }
    return low;
  }

  size() {
    const width = this.scroller.clientWidth || 400;
    const count = Math.max(1, this.run.lanes.length);
    this.gutter = 46;
    this.laneWidth = Math.round(Math.max(58, Math.min(130, width * 0.42 / count)));
    this.textLeft = this.gutter + this.laneWidth * count + 12;
    this.width = Math.max(width, this.textLeft + (width < 600 ? 320 : 380));
    this.space.style.width = this.width + "px";
    this.space.style.height = this.total() + "px";
    const high = this.printing ? Math.min(this.total(), MOST_ON_PAPER) : Math.min(this.total() + 20, Math.max(300, window.innerHeight * 0.58));
    this.scroller.style.height = high + "px";
    this.svg.setAttribute("width", this.width);
    this.heads();
    this.survey();
    this.draw();
  }

  heads() {
    this.header.replaceChildren();
    const first = document.createElement("span");
    first.style.width = this.gutter + "px";
    this.header.append(first);
    const hosts = this.lanes.some((lane) => lane.host);
    for (let start = 0; start < this.lanes.length;) {
      let end = start + 1;
      while (hosts && end < this.lanes.length && this.lanes[end].host === this.lanes[start].host) end++;
      const group = document.createElement("span");
      group.className = "group";
      group.style.width = (end - start) * this.laneWidth + "px";
      if (hosts) {
        const host = document.createElement("span");
        host.className = "host";
        host.textContent = this.lanes[start].host || "several hosts";
        group.append(host);
      }
      const row = document.createElement("span");
      row.className = "row";
      group.append(row);
      for (const lane of this.lanes.slice(start, end)) {
        const head = document.createElement("span");
        head.className = "name";
        head.style.width = this.laneWidth + "px";
        head.title = lane.host ? lane.name + " on " + lane.host : lane.name;
        head.textContent = lane.name;
        row.append(head);
      }
      this.header.append(group);
      start = end;
    }
  }

  middle(task) { return this.gutter + ((this.lane.get(task) ?? 0) + 0.5) * this.laneWidth; }
  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.draw(); });
  }

  draw() {
    const height = this.rowHeight, top = this.scroller.scrollTop, seen = this.scroller.clientHeight || 400;
    const first = Math.max(0, Math.floor(top / height) - 2);
    const last = Math.min(this.rows.length - 1, Math.ceil((top + seen) / height) + 2);
    this.svg.setAttribute("height", seen);
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${seen}`);
    const y = (row) => row * height + height / 2 - top;
    const parts = document.createDocumentFragment();
    this.spans(parts, first, last, top);
    if (this.cursor >= first && this.cursor <= last)
      parts.append(make("rect", { x: 0, y: y(this.cursor) - height / 2, width: this.width, height, class: "chosen", opacity: 0.6 }));
    this.turns(parts, first, last, y);
    for (let row = first; row <= last; row++) this.mark(parts, row, y(row));
    this.arrows(parts, first, last, y);
    this.race(parts, y);
    if (this.options.parted !== undefined) {
      const row = this.row(this.options.parted);
      if (row >= first - 1 && row <= last + 1) {
        const line = y(row) - height / 2;
        parts.append(make("path", { d: `M0 ${line}H${this.width}`, class: "part" }));
        if (height >= 8 && this.scroller.clientWidth > 560) parts.append(make("text", { x: this.scroller.scrollLeft + this.scroller.clientWidth - 8, y: line - 4, class: "part small", "text-anchor": "end" }, "here the two runs part"));
      }
    }
    for (const [task, what] of this.run.waiting) {
      if (last >= this.rows.length - 1) {
        const x = this.middle(task), end = y(this.rows.length - 1) + height;
        parts.append(make("path", { d: `M${x - 6} ${end - 6}l12 12m0 -12l-12 12`, class: "ring" }, undefined));
        const cross = make("title", {}, what + ", for ever");
        parts.lastChild.append(cross);
      }
    }
    this.svg.replaceChildren(parts);
  }

  spans(parts, first, last, top) {
    const height = this.rowHeight;
    const box = (span, x, width, kind) => {
      const from = this.row(span.start), to = Math.max(from, span.open ? this.rows.length - 1 : Math.min(this.row(span.end), this.rows.length - 1));
      if (to < first || from > last) return null;
      // What is far out of view is cut, so that no figure is huge.
      const start = Math.max(from * height - top, -20), end = Math.min((to + 1) * height - top, this.scroller.clientHeight + 20);
      const made = make("rect", { x, y: start + 0.5, width, height: Math.max(2, end - start - 1), rx: 3, class: kind });
      made.append(make("title", {}, span.name));
      parts.append(made);
      return from * height - top;
    };
    for (const span of this.run.operations) {
      const x = this.gutter + (this.lane.get(span.task) ?? 0) * this.laneWidth + 3;
      box(span, x, this.laneWidth - 6, "block");
    }
    for (const hold of this.run.holds) {
      const lock = this.locks.get(hold.name);
      const x = this.gutter + (this.lane.get(hold.task) ?? 0) * this.laneWidth + 6 + (lock % 4) * 7;
      box(hold, x, 5, "lock" + lock % 6);
    }
  }

  turns(parts, first, last, y) {
    const lines = new Map();
    for (let row = Math.max(1, first); row <= last; row++) {
      const here = this.rows[row][TASK], before = this.rows[row - 1][TASK];
      if (here === before) {
        lines.set(here, (lines.get(here) || "") + `M${this.middle(here)} ${y(row - 1)}V${y(row)}`);
        continue;
      }
      const found = this.between(this.rows[row - 1][NUMBER], this.rows[row][NUMBER]);
      const from = this.middle(before), to = this.middle(here), a = y(row - 1), b = y(row);
      const path = make("path", { d: `M${from} ${a}C${from} ${b} ${to} ${a} ${to} ${b}`, class: found ? "preemption" : "turn" });
      if (found) {
        const name = this.name(found.task) + " is interrupted, " + this.name(found.instead) + " runs instead"
          + (found.needed === "yes" ? "; needed" : found.needed === "no" ? "; not needed" : "");
        path.append(make("title", {}, name));
        parts.append(make("path", { d: `M${to - 5} ${b - 9}L${to} ${b - 3}L${to + 5} ${b - 9}Z`, class: "red" }));
      }
      parts.append(path);
    }
    for (const [task, path] of lines) parts.append(make("path", { d: path, class: "run lane" + (this.lane.get(task) ?? 0) % 6 }));
  }

  /* From a start to what was started, from an end to who waited for it, from who gave a lock back to who took it. */
  arrows(parts, first, last, y) {
    if (this.rowHeight < 8 || !this.rows.length) return;
    const seen = this.scroller.clientHeight;
    const top = this.rows[first][NUMBER], end = this.rows[last][NUMBER];
    for (const edge of this.edges) {
      if (edge.to < top || edge.from > end) continue;
      const row = this.row(edge.from), other = this.row(edge.to);
      if (row >= this.rows.length || other >= this.rows.length) continue;
      if (this.rows[row][NUMBER] !== edge.from || this.rows[other][NUMBER] !== edge.to) continue;
      const cut = (value) => Math.max(-40, Math.min(seen + 40, value));
      const xa = this.middle(this.rows[row][TASK]), xb = this.middle(this.rows[other][TASK]), a = cut(y(row)), b = cut(y(other));
      const side = xb > xa ? 1 : -1;
      const path = make("path", { d: `M${xa + side * 6} ${a}L${xb - side * 8} ${b}`, class: "edge" });
      path.append(make("title", {}, edge.words));
      parts.append(path, make("path", { d: `M${xb - side * 11} ${b - 4}L${xb - side * 5} ${b}L${xb - side * 11} ${b + 4}`, class: "edge" }));
    }
  }

  /* The preemption between two events that follow each other in view. */
  between(before, after) {
    for (let step = before + 1; step <= after; step++) {
      const one = this.switches.get(step);
      if (one && one.preemption) return one;
    }
    return null;
  }

  name(task) { const lane = this.lanes[this.lane.get(task) ?? 0]; return lane ? lane.name : "task " + task; }

  mark(parts, row, y) {
    const step = this.rows[row], x = this.middle(step[TASK]), height = this.rowHeight;
    const small = height < 8, lane = " lane" + (this.lane.get(step[TASK]) ?? 0) % 6;
    if (MEMORY.has(step[KIND])) {
      const writes = step[KIND].startsWith("write");
      if (step[SHARED]) parts.append(make("circle", { cx: x, cy: y, r: small ? 2 : writes ? 5 : 4.5, class: (writes ? "write" : "read") + lane }));
      else parts.append(make("circle", { cx: x, cy: y, r: small ? 1 : 2.2, class: "private" }));
    } else if (!small) {
      parts.append(make("rect", { x: x - 4, y: y - 1.5, width: 8, height: 3, class: "private" }));
    }
    const fault = step[KIND] === "note" && this.text(step[WHAT]).startsWith("fault ");
    if (fault) parts.append(make("path", { d: `M${x} ${y - 6}l6 6l-6 6l-6 -6z`, class: "red" }));
    if (this.pair.has(step[NUMBER]) && !small) parts.append(make("circle", { cx: x, cy: y, r: 9, class: "ring" }));
    if (height < 14) return;
    parts.append(make("text", { x: this.gutter - 8, y: y + 4, class: "muted small", "text-anchor": "end" }, String(step[NUMBER])));
    parts.append(make("text", { x: this.textLeft, y: y + 4, class: (step[SHARED] || fault ? "" : "muted") + (this.pair.has(step[NUMBER]) || fault ? " strong" : "") }, this.words(step)));
  }

  /* What a step is done to; a task by its name. */
  what(step) {
    const text = this.text(step[WHAT]);
    const numbered = (step[KIND] === "spawn" || step[KIND] === "join") && /^task (\d+)$/.exec(text);
    return numbered ? this.name(Number(numbered[1])) : text;
  }

  words(step) {
    const before = this.text(step[BEFORE]), after = this.text(step[AFTER]);
    const value = after ? `: ${before || "?"} \u2192 ${after}` : before && MEMORY.has(step[KIND]) ? `: ${before}` : "";
    return `${WORDS[step[KIND]] ?? step[KIND]} ${this.what(step)}`.trim() + value;
  }

  race(parts, y) {
    if (this.run.pair.length < 2) return;
    const rows = this.run.pair.map((step) => this.row(step));
    const [a, b] = rows.map((row) => this.rows[Math.min(row, this.rows.length - 1)]);
    if (!a || !b) return;
    const ya = y(rows[0]), yb = y(rows[1]), seen = this.scroller.clientHeight;
    if (Math.max(ya, yb) < -50 || Math.min(ya, yb) > seen + 50) return;
    const xa = this.middle(a[TASK]), xb = this.middle(b[TASK]), out = Math.max(xa, xb) + 26;
    const cut = (value) => Math.max(-60, Math.min(seen + 60, value));
    const path = make("path", { d: `M${xa} ${cut(ya)}C${out} ${cut(ya)} ${out} ${cut(yb)} ${xb} ${cut(yb)}`, class: "race" });
    path.append(make("title", {}, "these two conflict"));
    parts.append(path);
  }

  survey() {
    const ratio = window.devicePixelRatio || 1, high = this.scroller.clientHeight || 400;
    this.canvas.width = 26 * ratio;
    this.canvas.height = high * ratio;
    const pen = this.canvas.getContext("2d");
    if (!pen) return;
    const colours = getComputedStyle(document.documentElement), count = Math.max(1, this.run.lanes.length);
    pen.scale(ratio, ratio);
    const wide = 22 / count, tall = Math.max(0.6, high / this.rows.length);
    this.rows.forEach((step, row) => {
      const lane = this.lane.get(step[TASK]) ?? 0;
      pen.fillStyle = colours.getPropertyValue(step[SHARED] ? "--lane" + lane % 6 : "--private");
      pen.fillRect(2 + lane * wide, row / this.rows.length * high, wide - 0.5, tall);
    });
    pen.fillStyle = colours.getPropertyValue("--error");
    for (const one of this.run.switches) if (one.preemption) pen.fillRect(0, this.row(one.step) / this.rows.length * high - 1, 26, 2);
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.rowHeight) - 2);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    if (event.key in moves) this.choose(Math.max(0, this.cursor) + (this.cursor < 0 ? 0 : moves[event.key]), true);
    else if (event.key === "Home") this.choose(0, true);
    else if (event.key === "End") this.choose(this.rows.length - 1, true);
    else if (event.key === "+" || event.key === "=") this.closer(1);
    else if (event.key === "-") this.closer(-1);
    else if (event.key === "n") this.preemption(1);
    else if (event.key === "p") this.preemption(-1);
    else return;
    event.preventDefault();
  }

  point(event) {
    const box = this.svg.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top + this.scroller.scrollTop) / this.rowHeight);
    if (row >= 0 && row < this.rows.length && row !== this.cursor) this.choose(row, false);
  }

  choose(row, moves) {
    this.cursor = Math.max(0, Math.min(this.rows.length - 1, row));
    if (moves) {
      const y = this.cursor * this.rowHeight, scroller = this.scroller;
      if (y < scroller.scrollTop + 20 || y > scroller.scrollTop + scroller.clientHeight - 40) scroller.scrollTop = y - scroller.clientHeight / 2;
    }
    this.later();
    this.onchoose(this, this.rows[this.cursor]);
  }

  goto(step) { this.choose(this.row(step), true); this.scroller.scrollTop = this.cursor * this.rowHeight - this.scroller.clientHeight / 3; }

  /* To the next step that matters, or the one before: a preemption that is needed, or an access of the conflict. */
  preemption(by = 1) {
    const here = this.cursor >= 0 ? this.rows[this.cursor][NUMBER] : -1;
    const preempted = this.run.switches.filter((one) => one.preemption && one.needed !== "no").map((one) => one.step);
    const all = [...new Set([...preempted, ...this.run.pair])].sort((one, other) => one - other);
    const ahead = by > 0 ? all.find((step) => step > here) ?? all[0] : all.findLast((step) => step < here) ?? all.at(-1);
    if (ahead !== undefined) this.goto(ahead);
  }

  /* The next row whose words have this text, from the chosen one on; whether there is one. */
  search(text, by = 1) {
    const wanted = text.toLowerCase(), count = this.rows.length;
    for (let away = 1; away <= count; away++) {
      const row = (((this.cursor < 0 ? -1 : this.cursor) + by * away) % count + count) % count;
      const step = this.rows[row];
      if (!`${step[NUMBER]} ${this.name(step[TASK])} ${this.words(step)} ${this.text(step[PLACE])}`.toLowerCase().includes(wanted)) continue;
      this.choose(row, true);
      return true;
    }
    return false;
  }

  /* On paper all rows are drawn, as far as a person would turn pages. */
  print(begins) {
    this.printing = begins;
    this.size();
  }

  closer(by) {
    const middle = (this.scroller.scrollTop + this.scroller.clientHeight / 2) / this.rowHeight;
    this.zoom = Math.max(0, Math.min(HEIGHTS.length - 1, this.zoom + by));
    this.size();
    this.scroller.scrollTop = middle * this.rowHeight - this.scroller.clientHeight / 2;
  }
}
