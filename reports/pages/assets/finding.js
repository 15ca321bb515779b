"use strict";
/* The page of a finding: what is known at the chosen step, its source, keys and links. */
(() => {
  const there = (name) => document.getElementById(name);

  function table(caption, rows) {
    const made = document.createElement("table"), title = document.createElement("caption"), body = document.createElement("tbody");
    title.textContent = caption;
    for (const [name, value, marked] of rows) {
      const row = document.createElement("tr"), head = document.createElement("th"), cell = document.createElement("td");
      head.scope = "row";
      head.textContent = name;
      cell.textContent = value;
      if (marked) row.className = "marked";
      row.append(head, cell);
      body.append(row);
    }
    made.append(title, body);
    return made;
  }

  function detail(picture, step) {
    const place = picture.text(step[PLACE]);
    const list = document.createElement("dl");
    const add = (name, value) => {
      if (!value) return;
      const term = document.createElement("dt"), said = document.createElement("dd");
      term.textContent = name;
      said.textContent = value;
      list.append(term, said);
    };
    add("step", `${step[NUMBER]} of ${picture.run.events}, ${picture.name(step[TASK])}`);
    add("does", `${WORDS[step[KIND]] ?? step[KIND]} ${picture.what(step)}`);
    add(picture.text(step[AFTER]) ? "before" : "value", picture.text(step[BEFORE]));
    add("after", picture.text(step[AFTER]));
    add("place", place);
    add("source", picture.options.sources[place]);
    there("detail").replaceChildren(list);
  }

  /* What is shared, with its value, and who holds which lock, after the chosen step. */
  function state(picture, step) {
    const values = new Map(), here = step[NUMBER];
    for (const one of picture.run.steps) {
      if (one[NUMBER] > here) break;
      if (!one[SHARED] || !MEMORY.has(one[KIND])) continue;
      const name = picture.text(one[WHAT]), before = values.get(name);
      const value = picture.text(one[AFTER]) || picture.text(one[BEFORE]) || (before ? before.value : "?");
      const wrote = one[KIND].startsWith("write") ? picture.name(one[TASK]) : before ? before.wrote : "";
      values.set(name, { value, wrote, now: one[NUMBER] === here });
    }
    const locks = new Map();
    for (const hold of picture.run.holds) {
      const holds = hold.start <= here && (hold.open || here < hold.end);
      if (holds) locks.set(hold.name, picture.name(hold.task));
      else if (hold.start <= here && !locks.has(hold.name)) locks.set(hold.name, "nobody");
    }
    const parts = [];
    if (values.size) parts.push(table("Shared, after this step", [...values].slice(0, 40).map(([name, one]) => [name, one.value + (one.wrote ? `, by ${one.wrote}` : ""), one.now])));
    if (locks.size) parts.push(table("Locks", [...locks].slice(0, 20).map(([name, holder]) => [name, holder === "nobody" ? "held by nobody" : `held by ${holder}`, false])));
    if (!parts.length) {
      const nothing = document.createElement("p");
      nothing.className = "muted";
      nothing.textContent = "Nothing that is shared was touched up to here.";
      parts.push(nothing);
    }
    there("state").replaceChildren(...parts);
  }

  const PLACED = /^(.*):(\d+) \((.*)\)$/s;

  /* The lines of each module that are known, from the steps and the excerpts. */
  function linesOf(data) {
    const modules = new Map();
    const of = (name) => modules.get(name) ?? modules.set(name, new Map()).get(name);
    for (const one of data.excerpts) {
      const module = (PLACED.exec(one.place) ?? [])[1];
      if (module !== undefined) one.lines.forEach((line, away) => of(module).set(one.first + away, line));
    }
    for (const [place, line] of Object.entries(data.sources)) {
      const found = PLACED.exec(place);
      if (found && !of(found[1]).has(Number(found[2]))) of(found[1]).set(Number(found[2]), "    " + line.trim());
    }
    return modules;
  }

  /* The source around the chosen step, and where the other tasks stand in it. */
  function source(picture, step, modules, files) {
    // What has no place of its own, as the begin of a thread, stands where its task goes on.
    const own = picture.run.steps.filter((one) => one[TASK] === step[TASK] && picture.text(one[PLACE]));
    const placed = picture.text(step[PLACE]) ? step : own.find((one) => one[NUMBER] > step[NUMBER]) ?? own.at(-1);
    const found = placed ? PLACED.exec(picture.text(placed[PLACE])) : null;
    const known = found ? modules.get(found[1]) : undefined;
    if (!known) return;
    const line = Number(found[2]), stands = new Map();
    for (const one of picture.run.steps) {
      if (one[NUMBER] > step[NUMBER]) break;
      const place = PLACED.exec(picture.text(one[PLACE]));
      if (place) stands.set(one[TASK], [place[1], Number(place[2])]);
    }
    const numbers = [...known.keys()].sort((one, other) => one - other);
    const at = numbers.indexOf(line), shown = numbers.slice(Math.max(0, at - 9), at + 10);
    const text = document.createElement("pre");
    let before = shown[0];
    for (const number of shown) {
      if (number > before + 1) text.append(Object.assign(document.createElement("span"), { className: "row muted", textContent: "  ⋯" }));
      before = number;
      const row = document.createElement("span"), count = document.createElement("span");
      row.className = number === line ? "row marked" : "row";
      count.className = "count";
      count.textContent = String(number);
      row.append(count, known.get(number));
      const others = [...stands].filter(([task, [module, where]]) => task !== step[TASK] && module === found[1] && where === number);
      const names = others.map(([task]) => picture.name(task));
      if (names.length) row.append(Object.assign(document.createElement("span"), { className: "stands", textContent: `  ← ${names.join(", ")}` }));
      text.append(row);
    }
    there("source-name").textContent = files[found[1]] ?? found[1];
    there("source-lines").replaceChildren(text);
  }

  const held = there("data");
  if (held) {
    const data = JSON.parse(held.textContent), modules = linesOf(data);
    const failing = new Picture(there("failing"), data.run, { label: data.label, sources: data.sources, parted: data.passing ? data.passing.parted : undefined });
    const pictures = [failing];
    let beside = null, ready = false;
    const chosen = (picture, step) => {
      detail(picture, step);
      state(picture, step);
      source(picture, step, modules, data.files);
      if (ready && picture === failing) history.replaceState(null, "", `#step=${step[NUMBER]}`);
    };
    failing.onchoose = chosen;
    const go = () => failing.goto(data.run.pair.length ? data.run.pair[0] : data.run.events);
    const asked = () => /^#step=(\d+)$/.exec(location.hash);
    /* A step that the choice of steps leaves out has all of them shown. */
    const reach = (step) => {
      const row = failing.rows[failing.row(step)];
      if ((!row || row[NUMBER] !== step) && data.run.steps.some((one) => one[NUMBER] === step)) {
        there("filter").value = "all";
        pictures.forEach((one) => one.filter("all"));
      }
      failing.goto(step);
    };
    const begin = () => {
      const preemptions = data.run.switches.filter((one) => one.preemption);
      const first = preemptions.find((one) => one.needed === "yes") || preemptions[0], given = asked();
      if (given) reach(Number(given[1]));
      else if (first) failing.goto(first.step);
      else if (data.passing) failing.goto(data.passing.parted);
      else go();
    };
    there("filter").addEventListener("change", (event) => pictures.forEach((one) => one.filter(event.target.value)));
    there("closer").addEventListener("click", () => pictures.forEach((one) => one.closer(1)));
    there("wider").addEventListener("click", () => pictures.forEach((one) => one.closer(-1)));
    there("race").addEventListener("click", go);
    there("before").addEventListener("click", () => failing.preemption(-1));
    there("next").addEventListener("click", () => failing.preemption(1));
    const words = there("words"), keys = there("keys");
    const look = (by) => {
      const found = !words.value || failing.search(words.value, by);
      there("none").textContent = found ? "" : "no such step";
    };
    words.addEventListener("input", () => look(1));
    words.addEventListener("keydown", (event) => {
      if (event.key === "Enter") look(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") failing.scroller.focus({ preventScroll: true });
      else return;
      event.preventDefault();
    });
    there("close").addEventListener("click", () => keys.close());
    there("help").addEventListener("click", () => keys.showModal());
    addEventListener("hashchange", () => { const given = asked(); if (given) reach(Number(given[1])); });
    addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
      if (event.key === "/") { words.focus(); words.select(); }
      else if (event.key === "?") keys.open ? keys.close() : keys.showModal();
      else if ((event.key === "n" || event.key === "p") && !failing.scroller.contains(event.target)) failing.preemption(event.key === "n" ? 1 : -1);
      else return;
      event.preventDefault();
    });
    addEventListener("beforeprint", () => pictures.forEach((one) => one.print(true)));
    addEventListener("afterprint", () => pictures.forEach((one) => one.print(false)));
    const button = there("beside");
    if (button) button.addEventListener("click", () => {
      const holder = there("passing");
      holder.hidden = !holder.hidden;
      button.setAttribute("aria-pressed", String(!holder.hidden));
      there("stage").classList.toggle("two", !holder.hidden);
      if (!beside) {
        beside = new Picture(holder, data.passing.run, { label: data.passing.label, sources: data.sources, parted: data.passing.parted });
        beside.onchoose = chosen;
        beside.filter(there("filter").value);
        pictures.push(beside);
      }
      requestAnimationFrame(() => pictures.forEach((one) => { one.size(); one.goto(data.passing.parted); }));
    });
    begin();
    ready = true;
    failing.scroller.focus({ preventScroll: true });
    document.documentElement.dataset.drawn = "yes";
  }
  for (const button of document.querySelectorAll("button.copy")) button.addEventListener("click", async () => {
    const text = button.previousElementSibling.textContent;
    try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; }
    catch { const range = document.createRange(); range.selectNodeContents(button.previousElementSibling); getSelection().removeAllRanges(); getSelection().addRange(range); button.textContent = "Selected"; }
  });
})();
