"use strict";
// The list of findings: filters, order, and a list of which only what is seen exists. One option can be reached by
// Tab and has the focus (roving tabindex); arrows, Home, End and Page keys move it, Enter opens it.
(function (zonelog) {
  const ROW = 64, SPARE = 6;
  const data = zonelog.data, names = data.verdicts;

  zonelog.make = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key === "text") node.textContent = value;
      else if (key === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
      else if (value === true) node.setAttribute(key, "");
      else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
    }
    node.append(...children);
    return node;
  };
  const make = zonelog.make;
  // A name out of a log, shown as it is, and kept from turning the text around it.
  zonelog.name = (text, cls) => make("bdi", { text, class: cls });
  const NS = "http://www.w3.org/2000/svg";
  zonelog.sign = (verdict) => make("span", { class: "sign " + names[verdict], "aria-hidden": "true", text: zonelog.signs[names[verdict]] });
  zonelog.sample = (style) => {
    const svg = document.createElementNS(NS, "svg"), line = document.createElementNS(NS, "line");
    const set = { x1: 1, x2: 41, y1: 6, y2: 6, stroke: style.color, "stroke-width": style.width };
    if (style.dash && style.dash.length) set["stroke-dasharray"] = style.dash.join(" ");
    for (const [key, value] of Object.entries(set)) line.setAttribute(key, value);
    for (const [key, value] of [["width", 42], ["height", 12], ["aria-hidden", "true"]]) svg.setAttribute(key, value);
    svg.append(line);
    return svg;
  };

  // The columns of the page's block as objects, in the order of severity and distance.
  zonelog.findingsOf = (columns) => columns.id.map((id, rank) => {
    const own = { rank };
    for (const key of Object.keys(columns)) own[key] = columns[key][rank];
    own.end = own.start + own.lasts;
    for (const axis of ["longitude", "latitude"]) {
      for (const at of ["end_", "peak_"]) if (own[at + axis] !== null) own[at + axis] = (own["start_" + axis] + own[at + axis]) / 1e6;
      own["start_" + axis] /= 1e6;
    }
    own.vehicle = data.trips[own.trip][0];
    own.lon = own.peak_longitude === null ? own.start_longitude : own.peak_longitude;
    own.lat = own.peak_latitude === null ? own.start_latitude : own.peak_latitude;
    return own;
  });

  // Which findings the filters leave; `view` is the map's bounds, null for everywhere.
  zonelog.fits = (finding, wanted, time) => {
    if (wanted.check !== "" && finding.check !== +wanted.check) return false;
    if (wanted.vehicle !== "" && finding.vehicle !== +wanted.vehicle) return false;
    if (wanted.zone !== "" && finding.zone !== +wanted.zone) return false;
    if (wanted.verdict !== "" && finding.verdict !== +wanted.verdict) return false;
    if (wanted.day !== "" && finding.day !== wanted.day) return false;
    if (time !== null && finding.start > time) return false;
    if (!wanted.query) return true;
    return finding.id.startsWith(wanted.query) || data.vehicles[finding.vehicle].toLowerCase().includes(wanted.query);
  };
  zonelog.inBounds = (finding, view) => !view || [
    [finding.lon, finding.lat], [finding.start_longitude, finding.start_latitude], [finding.end_longitude, finding.end_latitude],
  ].some(([lon, lat]) => view.contains([lat, lon]));

  zonelog.List = class {
    constructor(open) {
      this.open = open;
      this.items = [];
      this.active = 0;
      this.rows = new Map();
      this.inner = make("div", { role: "presentation", class: "rows" });
      this.box = make("div", {
        id: "findings", class: "list", role: "listbox",
        on: { scroll: () => this.render(), keydown: (event) => this.key(event) },
      }, this.inner);
      this.empty = make("p", { class: "empty", role: "status" });
      new ResizeObserver(() => this.render()).observe(this.box);
    }
    show(items) {
      const kept = this.items[this.active];
      this.items = items;
      this.active = Math.max(0, kept ? items.indexOf(kept) : 0);
      this.inner.style.height = items.length * ROW + "px";
      this.box.hidden = !items.length;
      this.empty.hidden = items.length > 0;
      this.render(true);
    }
    key(event) {
      const page = Math.max(1, Math.floor(this.box.clientHeight / ROW) - 1), last = this.items.length - 1;
      const to = { ArrowDown: this.active + 1, ArrowUp: this.active - 1, PageDown: this.active + page, PageUp: this.active - page, Home: 0, End: last }[event.key];
      if (to !== undefined) this.activate(Math.max(0, Math.min(last, to)));
      else if (event.key === "Enter" || event.key === " ") { if (this.items[this.active]) this.open(this.items[this.active]); } else return;
      event.preventDefault();
    }
    activate(number) {
      this.active = number;
      const top = number * ROW;
      if (top < this.box.scrollTop) this.box.scrollTop = top;
      else if (top + ROW > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = top + ROW - this.box.clientHeight;
      this.render(true);
      if (!this.box.closest("[hidden]")) this.focus();
    }
    // False where there is nothing to have the focus.
    focus() {
      if (!this.items.length) return false;
      this.rows.get(this.active).node.focus({ preventScroll: true });
      return true;
    }
    render(anew) {
      const first = Math.max(0, Math.floor(this.box.scrollTop / ROW) - SPARE);
      const last = Math.min(this.items.length, Math.ceil((this.box.scrollTop + this.box.clientHeight) / ROW) + SPARE);
      if (!anew && first === this.first && last === this.last) return;
      this.first = first; this.last = last;
      const numbers = [], had = this.inner.contains(document.activeElement);
      for (let k = first; k < last; k += 1) numbers.push(k);
      if (this.items.length && this.active < first) numbers.unshift(this.active);
      else if (this.items.length && this.active >= last) numbers.push(this.active);
      this.place(numbers);
      if (had && !this.inner.contains(document.activeElement)) this.focus();
    }
    // Rows that say what they said stay the nodes they are, and are never moved: the focus stays on one.
    place(numbers) {
      const before = this.rows, lang = zonelog.lang;
      this.rows = new Map(numbers.map((k) => {
        const old = before.get(k);
        return [k, old && old.item === this.items[k] && old.lang === lang ? old : { item: this.items[k], lang, node: this.row(k) }];
      }));
      for (const [k, old] of before) if (this.rows.get(k) !== old) old.node.remove();
      let next = this.inner.firstChild;
      for (const [k, { node }] of this.rows) {
        const active = k === this.active;
        node.classList.toggle("active", active);
        node.tabIndex = active ? 0 : -1;
        node.setAttribute("aria-selected", String(active));
        node.setAttribute("aria-setsize", this.items.length);
        if (node === next) next = next.nextSibling; else this.inner.insertBefore(node, next);
      }
    }
    row(k) {
      const f = this.items[k], w = zonelog.word;
      const zone = f.zone < 0 ? w("no_zone") : data.zones[f.zone].name[zonelog.lang];
      const amount = Array.isArray(f.amount) ? f.amount[zonelog.lang === "ko" ? 0 : 1] : f.amount;
      const row = make("div", {
        id: "row-" + k, class: "row " + names[f.verdict], role: "option", "aria-posinset": k + 1,
        on: { click: () => { this.active = k; this.render(true); this.open(f); } },
      },
      zonelog.sign(f.verdict),
      make("span", { class: "what" }, make("b", { text: data.checks[f.check][zonelog.lang] }), make("span", { class: "verdict", text: w(names[f.verdict]) })),
      make("span", { class: "amount", text: amount }),
      make("span", { class: "who" }, zonelog.name(data.vehicles[f.vehicle], "vehicle"), " · ", make("span", { text: zone })),
      make("span", { class: "when", text: zonelog.clock(f.start) }));
      row.style.transform = `translateY(${k * ROW}px)`;
      return row;
    }
  };
}(window.zonelog = window.zonelog || {}));
