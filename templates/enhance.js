// Adds to charts what needs a hand: values under the pointer, zoom by dragging, a scale to switch, keys for all of it.
// Every number is already in the page; without this script nothing is lost.
(() => {
  const {abs, min, max, log10, floor, ceil} = Math, finite = Number.isFinite, doc = document;
  const all = (node, what) => [...node.querySelectorAll(what)];
  const set = (node, given) => { for (const key in given) node.setAttribute(key, given[key]); return node; };
  const make = (parent, name, given) => parent.appendChild(set(doc.createElementNS("http://www.w3.org/2000/svg", name), given));
  const add = (parent, name, about) => parent.appendChild(Object.assign(doc.createElement(name), about));
  const part = f => f * 100 + "%", within = f => max(0, min(1, f));
  const packed = JSON.parse(doc.getElementById("curves").textContent), unpacked = [];

  // Values are the upper 24 bits of big-endian float32; steps are even ([first, stride, count]) or differences.
  function curve(i) {
    if (unpacked[i]) return unpacked[i];
    const {t, r, s, v, n} = packed[i], view = new DataView(new ArrayBuffer(4));
    const values = n ? n.map(Number) : atob(v).match(/[^]{3}/g).map(three => {
      for (let b = 0; b < 3; b++) view.setUint8(b, three.charCodeAt(b));
      return view.getFloat32(0);
    });
    let at = 0;
    return unpacked[i] = {tag: t, values, steps: r ? values.map((_, k) => r[0] + k * r[1]) : s.map(d => at += d)};
  }

  function written(v, digits = 4, big = 1e7) {
    if (!finite(v)) return isNaN(v) ? "NaN" : v > 0 ? "∞" : "−∞";
    const size = abs(v), text = size && (size >= big || size < 1e-4) ? (+v.toPrecision(digits)).toExponential().replace("e+", "e") : (+v.toPrecision(digits)).toLocaleString("en", {maximumFractionDigits: 9});
    return text.replace("-", "−");
  }

  function ticks({lo, hi, log}, about) {
    const found = [];
    if (log) {
      const first = floor(log10(lo)), last = ceil(log10(hi)), every = max(1, ceil((last - first) / about));
      for (let d = first; d <= last; d++) for (const p of last - first > 2 ? [1] : [1, 2, 5]) if (d % every === 0) found.push(+(p + "e" + d));
      return found.filter(v => v >= lo && v <= hi);
    }
    const rough = (hi - lo) / about, step = [1, 2, 2.5, 5, 10].map(m => m * 10 ** floor(log10(rough))).find(s => s >= rough * .999);
    for (let v = ceil(lo / step) * step; v <= hi; v += step) found.push(+v.toPrecision(12));
    return found;
  }

  class Axis {
    constructor(lo, hi, log) { Object.assign(this, {lo, hi, log}); }
    place(v) { return this.log ? log10(v / this.lo) / log10(this.hi / this.lo) : (v - this.lo) / (this.hi - this.lo); }
    value(f) { return this.log ? this.lo * (this.hi / this.lo) ** f : this.lo + f * (this.hi - this.lo); }
  }

  function panelOf(plot) {
    const {x, y, log, positive} = plot.dataset, first = new Axis(...y.split(" ").map(Number), log === "1");
    return {plot, x: new Axis(...x.split(" ").map(Number)), first, up: first, positive: positive === "1", height: +plot.getAttribute("height"),
      moved: all(plot, ".zoom path:not(.grid)").map(node => ({node, d: node.getAttribute("d"), own: node.dataset.curve})),
      curves: all(plot, "[data-curve]").map(line => curve(line.dataset.curve))};
  }

  const down = f => finite(f) ? max(-1000, min(2000, (1 - f) * 1000)).toFixed(1) : 2000;

  // The same path on another vertical axis: our paths are "M x y l dx dy …" or "M x y h0", in whole units.
  const onto = ({up, first}, d) => d.slice(1).split("M").map(piece => {
    const [x, y, ...moves] = piece.replace("h0", "").match(/-?\d+/g).map(Number), at = [x, y];
    const to = () => at[0] + " " + down(up.place(first.value(1 - at[1] / 1000)));
    let out = "M" + to();
    for (let i = 0; i < moves.length; i += 2) { at[0] += moves[i]; at[1] += moves[i + 1]; out += "L" + to(); }
    return moves.length ? out : out + "h0";
  }).join("");

  function exact({up, x}, {steps, values}) {
    let out = "", pen = "M";
    steps.forEach((s, i) => {
      const y = up.place(values[i]), seen = finite(y) && !steps.some((later, k) => k > i && later <= s);
      if (!seen) pen = "M";
      if (seen) { out += pen + (x.place(s) * 1000).toFixed(1) + " " + down(y); pen = "L"; }
    });
    return out;
  }

  function dress(figure) {
    const svg = figure.querySelector(".plots"), panels = all(svg, ".plot[data-y]").map(panelOf);
    if (figure.querySelector(".tools") || !panels.length) return;
    let a = 0, b = 1, cursor = null, from = null;
    const tools = add(figure, "div", {className: "tools"}), readout = add(figure, "output", {className: "readout"});
    svg.after(readout);
    const reset = add(tools, "button", {textContent: "Whole run", onclick: () => zoom(0, 1)});
    const scale = add(tools, "button", {onclick: () => {
      const log = !panels.some(p => p.up.log);
      panels.forEach(p => p.positive && (p.up = fitted(p, log)));
      draw();
    }});
    scale.hidden = !panels.some(p => p.positive);

    panels.forEach(p => {
      p.hair = make(p.plot, "line", {class: "hair", y2: p.height, visibility: "hidden"});
      const chosen = make(p.plot, "rect", {class: "chosen", height: p.height, width: 0});
      const pad = make(p.plot, "rect", {class: "catch", width: "100%", height: p.height});
      const at = e => { const box = pad.getBoundingClientRect(); return within((e.clientX - box.left) / box.width); };
      pad.onpointermove = e => {
        const f = at(e);
        set(chosen, {x: part(min(from, f)), width: from === null ? 0 : part(abs(from - f))});
        show(a + f * (b - a));
      };
      pad.onpointerleave = () => from === null && show(null);
      pad.onpointerdown = e => { if (!e.button) { from = at(e); pad.setPointerCapture(e.pointerId); } };
      pad.onpointerup = pad.onpointercancel = e => {
        const [one, other] = [from, at(e)].sort((m, n) => m - n);
        from = null;
        pad.onpointermove(e);
        if (other - one > .015) zoom(a + one * (b - a), a + other * (b - a));
      };
      pad.ondblclick = () => zoom(0, 1);
    });

    // The vertical axis for what is in view.
    function fitted(p, log) {
      if (b - a === 1 && log === p.first.log) return p.first;
      const seen = x => x >= a && x <= b, held = p.curves.flatMap(({steps, values}) => values.filter((v, i) => finite(v) && seen(p.x.place(steps[i]))));
      const lo = min(...held), hi = max(...held), air = log ? (hi / lo) ** .05 : (hi - lo) * .08;
      return hi > lo ? log ? new Axis(lo / air, hi * air, true) : new Axis(lo - air, hi + air) : p.up;
    }

    function zoom(to, end) {
      if (end - to > 1e-6) [a, b] = [max(0, to), min(1, end)];
      panels.forEach(p => p.up = fitted(p, p.up.log));
      draw();
    }

    function draw() {
      reset.hidden = b - a === 1;
      scale.textContent = panels.some(p => p.up.log) ? "Linear" : "Log";
      for (const p of panels) {
        const {plot, up, first} = p, [left, below, picture] = [".up", ".along", ".zoom"].map(what => plot.querySelector(what)), view = new Axis(p.x.value(a), p.x.value(b));
        set(picture, {viewBox: [a * 1000, 0, (b - a) * 1000, 1000].join(" ")});
        for (const {node, d, own} of p.moved) set(node, {d: up === first ? d : own ? exact(p, curve(own)) : onto(p, d)});
        for (const [what, on] of [[".log", up.log], [".beyond", up === first]]) all(plot, what).forEach(t => set(t, {display: on ? "" : "none"}));
        let grid = "";
        left.replaceChildren();
        for (const v of ticks(up, max(2, floor(p.height / 42)))) {
          const y = up.place(v);
          grid += `M-1000 ${down(y)}h3000`;
          make(left, "text", {x: -8, y: part(1 - y), dy: 4}).textContent = written(v, 4, 1e5);
        }
        set(plot.querySelector(".grid"), {d: grid});
        if (below.childElementCount) {
          below.replaceChildren();
          for (const s of ticks(view, 6)) make(below, "text", {x: part(view.place(s)), y: "100%", dy: 18}).textContent = written(s, 15);
        }
        all(plot, "[data-up]").forEach(t => set(t, {y: up === first ? t.dataset.y ||= t.getAttribute("y") : part(within(1 - up.place(first.value(+t.dataset.up))))}));
      }
      for (const node of all(svg, "[data-at]")) {
        const {at, to} = node.dataset, start = (at - a) / (b - a), end = ((to || at) - a) / (b - a);
        set(node, {visibility: end < 0 || start > 1 ? "hidden" : "visible", x: part(within(start))});
        if (to) set(node, {width: part(max(.006, within(end) - within(start)))});
      }
      show(cursor);
    }

    // The value of each curve at its point nearest to a place on the axis; of several there, the last one written.
    function show(place) {
      const x = part((place - a) / (b - a));
      let said;
      cursor = place;
      readout.replaceChildren();
      for (const p of panels) {
        set(p.hair, {visibility: place === null ? "hidden" : "visible", x1: x, x2: x});
        if (place !== null) for (const {tag, steps, values} of p.curves) {
          const far = steps.map(s => abs(p.x.place(s) - place)), i = far.lastIndexOf(far.reduce((m, n) => min(m, n))), step = written(steps[i], 15);
          if (step !== said) readout.append("  step " + step);
          readout.append("  " + tag + " ");
          add(readout, "b", {textContent: written(values[i])});
          said = step;
        }
      }
    }

    set(svg, {tabindex: 0}).onkeydown = e => {
      const middle = cursor ?? (a + b) / 2, wide = (b - a) / 4, {x, curves} = panels[0], places = curves[0].steps.map(s => x.place(s));
      const act = {
        ArrowRight: () => show(places.reduce((m, n) => n > middle + 1e-9 ? min(m, n) : m, b)),
        ArrowLeft: () => show(places.reduce((m, n) => n < middle - 1e-9 ? max(m, n) : m, a)),
        "+": () => zoom(middle - wide, middle + wide),
        "-": () => zoom(middle - wide * 4, middle + wide * 4),
        Escape: () => { cursor = null; zoom(0, 1); },
      }[e.key];
      if (act && !e.ctrlKey && !e.metaKey && !e.altKey) { e.preventDefault(); act(); }
    };
    draw();
  }

  // A chart is dressed when it comes into view, after it was seen: a page with many of them is ready at once.
  all(doc, ".chart").forEach(figure => new IntersectionObserver(([{isIntersecting}]) => isIntersecting && setTimeout(dress, 9, figure)).observe(figure));

  // A link to something folded opens it; paper shows everything.
  function reveal() {
    const node = doc.getElementById(location.hash.slice(1));
    for (let up = node; up; up = up.parentElement) if (up.localName === "details") up.open = true;
    if (node) node.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  addEventListener("beforeprint", () => all(doc, ".finding details, .block").forEach(d => d.open = true));
  reveal();
})();
