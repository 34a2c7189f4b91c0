// Search, sort and filter over all runs; without it the first rows and the further pages are there.
"use strict";
(() => {
  const {chips, experiments, curves, latest, times, rows} = JSON.parse(document.getElementById("rows").textContent);
  const TONES = ["error", "warning", "unjudged", "suppressed", "healthy"], STATES = ["new", "regressed", "persisting"], STEP = 200;
  const STATUSES = ["ok", "in-progress", "partial", "failed", "skipped"];
  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const NS = "http://www.w3.org/2000/svg";
  const body = document.querySelector(".runs tbody"), finder = document.getElementById("finder"), heading = document.getElementById("runs");
  const symptoms = [...new Set(chips.map(chip => chip[0]))];
  const first = [...body.children]; // the worst rows are here already, with their sentences
  // A label is the run's last part, or a tracker's name and the beginning of an id; a code holds tone, status and states.
  const bytes = [...atob(times)].map(c => c.charCodeAt(0)), MINUTE = 6e4;
  const units = [["d", 1440], ["h", 60], ["min", 1]];
  const inWords = minutes => { // two units, as 3 h 20 min
    const i = units.findIndex(u => minutes >= u[1]), [unit, size] = units[i] || ["min", 1], [less, part] = units[i + 1] || ["", 1];
    const rest = less && Math.floor(minutes % size / part);
    return i < 0 ? "< 1 min" : Math.floor(minutes / size) + " " + unit + (rest ? " " + rest + " " + less : "");
  };
  const ago = at => { const m = (Date.now() - at) / MINUTE, [unit, size] = units.find(u => m >= u[1]) || units[2]; return Math.max(0, Math.floor(m / size)) + " " + unit + " ago"; };
  function dated(node, at) {
    node.dateTime = new Date(at).toISOString();
    node.title = new Date(at).toLocaleString();
    node.textContent = ago(at);
  }
  const all = rows.map(([e, label, page, code, found, sketch, sentence], order) => {
    const [x, y, z, u, v] = bytes.slice(order * 5, order * 5 + 5), before = x << 16 | y << 8 | z, ran = u << 8 | v;
    const [leaf, id] = [].concat(label), run = experiments[e] && !id ? experiments[e] + "/" + leaf : leaf;
    const said = first[order] ? first[order].querySelector("p").textContent : sentence || "";
    const text = [run, id, said, ...found.map(i => chips[i][0])].join(" ").toLowerCase();
    const row = {e, run, id, page, tone: code & 7, status: code >> 3 & 7, states: code >> 6, found, sketch, sentence, order, text, ended: before < 0xffffff ? (latest - before) * MINUTE : 0, ran: ran < 0xffff ? ran : -1};
    const time = first[order] && first[order].querySelector("time");
    if (time && row.ended) dated(time, row.ended);
    return row;
  });
  const wish = {text: "", tone: "", symptom: "", experiment: "", status: "", state: "", sort: "worst"};
  let shown = STEP;

  const hex = base64 => [...atob(base64)].map(c => c.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  const add = (parent, name, about, text) => {
    const node = parent.appendChild(document.createElement(name));
    Object.assign(node, about);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const draw = (parent, name, attributes) => {
    const node = parent.appendChild(document.createElementNS(NS, name));
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    return node;
  };

  function curve(cell, sketch, name) { // a name only where it is not the main curve
    if (!sketch) return;
    const svg = draw(cell, "svg", {class: "spark k0", width: 120, height: 28, viewBox: "0 0 1000 1000", preserveAspectRatio: "none", fill: "none"});
    let d = "", pen = "M";
    [...sketch].forEach((letter, i) => {
      const height = DIGITS.indexOf(letter);
      if (height < 0) { pen = "M"; return; }
      d += pen + (i / (sketch.length - 1) * 1000).toFixed(0) + " " + (1000 - height / 63 * 1000).toFixed(0);
      pen = "L";
    });
    draw(svg, "path", {d, "vector-effect": "non-scaling-stroke"});
    if (name !== undefined) add(cell, "small", {}, curves[name].replaceAll("/", "/\u200b"));
  }

  function line(row) {
    if (first[row.order]) return first[row.order];
    const tr = document.createElement("tr"), tone = TONES[row.tone];
    const sign = draw(add(tr, "td"), "svg", {class: "sign " + tone, width: 16, height: 16, role: "img", "aria-label": tone});
    draw(sign, "use", {href: "#g-" + tone});
    const name = add(tr, "th", {scope: "row"});
    const link = row.page ? add(name, "a", {href: "runs/" + hex(row.page) + ".html"}) : add(name, "span"), parts = row.run.split("/"), leaf = parts.pop();
    if (parts.length) add(link, "span", {className: "above"}, parts.join("/\u200b") + "/\u200b");
    link.append(leaf);
    if (row.id) name.append(" "), add(name, "code", {className: "soft"}, row.id);
    if (row.sentence) add(name, "p", {}, row.sentence);
    const cell = add(tr, "td");
    for (const [symptom, severity, state] of row.found.map(i => chips[i])) {
      const chip = add(cell, "span", {className: "chip " + severity}, symptom);
      if (state) chip.append(" · "), add(chip, "b", {}, state);
      cell.append(" ");
    }
    if (row.status) add(cell, "span", {className: "chip"}, STATUSES[row.status]);
    const when = add(tr, "td", {className: "when"});
    if (row.ended) dated(add(when, "time"), row.ended);
    if (row.ran > 0) add(when, "small", {}, "ran " + inWords(row.ran));
    curve(add(tr, "td"), ...[].concat(row.sketch));
    return tr;
  }

  const orders = {
    worst: (a, b) => a.order - b.order,
    name: (a, b) => a.run < b.run ? -1 : 1,
    ended: (a, b) => b.ended - a.ended || a.order - b.order,
    ran: (a, b) => b.ran - a.ran || a.order - b.order,
    findings: (a, b) => b.found.length - a.found.length || a.order - b.order,
  };

  function chosen() {
    const words = wish.text.toLowerCase().split(/\s+/).filter(Boolean);
    return all.filter(row =>
      (wish.tone === "" || TONES[row.tone] === wish.tone) &&
      (wish.experiment === "" || row.e === +wish.experiment) &&
      (wish.symptom === "" || row.found.some(i => chips[i][0] === wish.symptom)) &&
      (wish.status === "" || STATUSES[row.status] === wish.status) &&
      (wish.state === "" || row.states >> STATES.indexOf(wish.state) & 1) &&
      words.every(word => row.text.includes(word) || row.id && word.startsWith(row.id))
    ).sort(orders[wish.sort]);
  }

  function update(more) {
    shown = more ? shown + STEP : STEP;
    const found = chosen();
    body.replaceChildren(...found.slice(0, shown).map(line));
    if (!found.length) {
      const none = body.appendChild(document.createElement("tr"));
      none.className = "none";
      add(none, "td", {colSpan: 5}, "No run matches these filters.");
    }
    remember();
    count.textContent = found.length === all.length ? "" : found.length.toLocaleString("en") + " of " + all.length.toLocaleString("en");
    next.hidden = found.length <= shown;
    next.textContent = "Show " + Math.min(STEP, found.length - shown) + " more";
    clear.hidden = !(wish.text || KEYS.some(key => wish[key]));
    for (const {button, key, value} of buttons) button.setAttribute("aria-pressed", wish[key] === value);
  }

  // The address keeps what was asked for: a link shows the same rows to others, and Back comes to them again.
  function remember() {
    const asked = new URLSearchParams(Object.entries(wish).filter(([key, value]) => value && !(key === "sort" && value === "worst")));
    const address = asked.size ? "#?" + asked : location.pathname + location.search;
    if (location.hash.startsWith("#?") || asked.size) try { history.replaceState(history.state, "", address); } catch { /* a page without an address of its own */ }
  }

  function recall() {
    if (!location.hash.startsWith("#?")) return false;
    const asked = new URLSearchParams(location.hash.slice(2));
    for (const key of KEYS) {
      const value = asked.get(key) || "";
      boxes[key].value = value;
      wish[key] = boxes[key].value === value ? value : boxes[key].value = "";
    }
    wish.text = search.value = asked.get("text") || "";
    wish.sort = order.value = asked.get("sort") in orders ? asked.get("sort") : "worst";
    update();
    return true;
  }

  function choice(label, key, options) {
    const box = add(add(finder, "label", {}, label + " "), "select");
    for (const [value, text] of options) add(box, "option", {value}, text);
    box.onchange = () => { wish[key] = box.value; update(); };
    return box;
  }

  finder.className = "finder";
  const search = add(add(finder, "label", {}, "Search "), "input", {type: "search"});
  search.oninput = () => { wish.text = search.value; update(); };
  const boxes = {
    symptom: choice("Symptom", "symptom", [["", "any"], ...symptoms.map(s => [s, s])]),
    tone: choice("Verdict", "tone", [["", "any"], ...TONES.map(t => [t, {error: "errors", warning: "warnings", unjudged: "not judged"}[t] || t])]),
    experiment: choice("Experiment", "experiment", [["", "any"], ...experiments.map((name, i) => [String(i), name || "(top folder)"])]),
    state: choice("Since last time", "state", [["", "any"], ...STATES.filter((_, i) => all.some(row => row.states >> i & 1)).map(s => [s, {regressed: "back again", persisting: "still there"}[s] || s])]),
    status: choice("Log", "status", [["", "any"], ...STATUSES.filter((_, i) => all.some(row => row.status === i)).map(s => [s, s])]),
  };
  const KEYS = Object.keys(boxes), buttons = [];
  for (const [key, most] of [["experiment", 2], ["state", 1], ["status", 2], ["symptom", 0]]) boxes[key].parentNode.hidden = boxes[key].length <= most;
  for (const key of ["symptom", "tone"]) boxes[key].parentNode.hidden = document.querySelector(`[data-${key}]`) !== null; // the counts do it
  const order = choice("Sort", "sort", [["worst", "worst first"], ["name", "by name"], ["findings", "most findings"], ["ended", "ended last"], ["ran", "ran longest"]]);
  const clear = add(finder, "button", {type: "button", hidden: true}, "Clear");
  const count = add(finder, "output");
  const next = add(finder, "button", {type: "button", className: "next"});
  document.querySelector(".runs").after(next);
  next.onclick = () => update(true);
  clear.onclick = () => {
    wish.text = search.value = "";
    for (const key of KEYS) wish[key] = boxes[key].value = "";
    update();
  };

  // The counts above become filters.
  function filter(word, key, value) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...word.childNodes);
    word.replaceChildren(button);
    buttons.push({button, key, value});
    button.onclick = () => {
      wish[key] = boxes[key].value = wish[key] === value ? "" : value;
      update();
      heading.scrollIntoView({block: "start"});
    };
  }
  for (const node of document.querySelectorAll("[data-symptom]")) filter(node.querySelector(".word"), "symptom", node.dataset.symptom);
  for (const node of document.querySelectorAll("[data-tone]")) filter(node, "tone", node.dataset.tone);
  for (const node of document.querySelectorAll("[data-state]")) filter(node, "state", node.dataset.state);
  for (const node of document.querySelectorAll("[data-experiment]")) filter(node, "experiment", String(experiments.indexOf(node.dataset.experiment)));
  const further = document.querySelector(".further");
  if (further && !document.querySelector(".beyond")) further.hidden = true;
  recall() || update();
  addEventListener("hashchange", recall);
})();
