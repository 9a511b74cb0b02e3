"use strict";
// The page: state, layout, time, language, layers, and the map object that folium made.
(function (zonelog) {
  const { data, make } = zonelog, map = map_zonelog, names = data.verdicts;
  const MOST_LOADED = 3e6, MOST_WHOLE = 8, SPEEDS = [1, 10, 60, 300, 1800];
  const LAYERS = ["violation", "indeterminate", "not_observed", "compliant", "not_required", "marks", "zones", "band", "ground", "tiles"];
  const wanted = { check: "", vehicle: "", zone: "", verdict: "", day: "", query: "", inView: true, sort: "worst" };
  const state = { time: null, view: null, selected: null, playing: false, speed: 60, measuring: false, measured: [], story: null, unknown: null };
  const layers = Object.fromEntries(LAYERS.map((name) => [name, true]));
  const loaded = new Map();
  let findings = [], stretch = [], quiet = false, failed = false;

  zonelog.lang = data.lang;
  zonelog.word = (key) => (data.words[key] || { ko: key, en: key })[zonelog.lang];
  const filled = (key, values) => zonelog.word(key).replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const count = (number) => number.toLocaleString("en-US");
  const clockFormat = new Intl.DateTimeFormat("sv-SE", { timeZone: data.timezone, dateStyle: "short", timeStyle: "medium" });
  zonelog.clock = (ms) => clockFormat.format(ms);
  const offsetFormat = new Intl.DateTimeFormat("en-US", { timeZone: data.timezone, timeZoneName: "longOffset" });
  const offset = (ms) => offsetFormat.formatToParts(ms).find((part) => part.type === "timeZoneName").value.replace("GMT", "") || "+00:00";

  // Words that change with the language: a node and what its text or label is made of.
  const said = [];
  const says = (node, key, where = "text") => { said.push([node, key, where]); return node; };
  const sayAll = () => {
    document.documentElement.lang = zonelog.lang;
    for (const [node, key, where] of said) {
      const text = typeof key === "function" ? key() : zonelog.word(key);
      if (where === "text") node.textContent = text; else node.setAttribute(where, text);
    }
    document.title = zonelog.word("page_title") + " – " + data.headline.sentence[zonelog.lang];
  };
  const button = (key, act, cls) => says(make("button", { type: "button", class: cls, on: { click: act } }), key);

  // ---- time and days
  const period = () => {
    const own = wanted.day ? data.days.filter((day) => day.date === wanted.day) : data.days;
    return own.length ? [Math.min(...own.map((d) => d.start)), Math.max(...own.map((d) => d.end))] : null;
  };
  const slider = make("input", { type: "range", id: "time", min: "0", max: "1", step: "1", on: { input: () => setTime(+slider.value) } });
  const clock = make("output", { for: "time", class: "clock" });
  const setRange = () => {
    const span = period();
    slider.disabled = !span;
    if (span) { slider.min = Math.floor(span[0] / 1000); slider.max = Math.ceil(span[1] / 1000); slider.value = slider.max; }
    state.time = null;
    tellTime();
  };
  const tellTime = () => {
    const span = period();
    const text = state.time !== null ? zonelog.clock(state.time) + " " + offset(state.time)
      : span ? zonelog.word("whole_time") + " " + zonelog.clock(span[0]).slice(0, 16) + " – " + zonelog.clock(span[1]).slice(0, 16) : "–";
    clock.textContent = text;
    slider.setAttribute("aria-valuetext", text);
  };
  const setTime = (seconds) => {
    state.time = seconds >= +slider.max ? null : seconds * 1000;
    tellTime();
    overlay.redraw();
    refresh();
  };
  let lastFrame = 0;
  const play = (on) => {
    state.playing = on;
    playButton.setAttribute("aria-pressed", String(on));
    tally.setAttribute("aria-live", on ? "off" : "polite"); // else every second is read out
    sayAll();
    if (!on) return;
    if (state.time === null) { slider.value = slider.min; setTime(+slider.min); }
    lastFrame = performance.now();
    requestAnimationFrame(tick);
  };
  const tick = (now) => {
    if (!state.playing) return;
    let seconds = (state.time === null ? +slider.max : state.time / 1000) + ((now - lastFrame) / 1000) * state.speed;
    lastFrame = now;
    if (!data.days.some((day) => day.start / 1000 <= seconds && day.end / 1000 >= seconds)) {
      const later = data.days.map((day) => day.start / 1000).filter((start) => start > seconds);
      seconds = later.length ? Math.min(...later) : +slider.max; // nights are skipped
    }
    slider.value = seconds;
    setTime(Math.min(seconds, +slider.max));
    if (state.time === null) play(false); else requestAnimationFrame(tick);
  };
  const playButton = make("button", { type: "button", class: "play", "aria-pressed": "false", on: { click: () => play(!state.playing) } });
  says(playButton, () => (state.playing ? "❚❚ " : "▶ ") + zonelog.word(state.playing ? "pause" : "play"));

  // ---- what the canvas asks for
  const scene = {
    layers,
    get time() { return state.time; },
    get selected() { return state.selected; },
    days: () => wanted.day ? (loaded.has(wanted.day) ? [loaded.get(wanted.day)] : []) : [...loaded.values()],
    wants: (line) => (state.time === null || line.start <= state.time) && (wanted.vehicle === "" || data.trips[line.trip][0] === +wanted.vehicle),
    stretch: () => stretch,
    marked: () => marked,
    ends: (f) => [[[f.end_longitude, f.end_latitude], zonelog.word("end")], [[f.start_longitude, f.start_latitude], zonelog.word("start")]],
  };
  const overlay = zonelog.overlay = new zonelog.Overlay(scene);
  let marked = [];

  // ---- list
  const list = new zonelog.List((finding) => select(finding));
  says(list.box, "findings", "aria-label");
  says(list.empty, () => zonelog.word(data.total ? "none_shown" : "none"));
  const tally = make("p", { class: "tally", role: "status" });
  const refresh = () => {
    marked = findings.filter((finding) => zonelog.fits(finding, wanted, state.time));
    const some = wanted.inView ? marked.filter((finding) => zonelog.inBounds(finding, state.view)) : marked;
    if (wanted.sort === "time") some.sort((a, b) => a.start - b.start || a.rank - b.rank);
    list.show(some);
    tally.textContent = filled("shown", { some: count(some.length), all: count(data.total) });
    overlay.redraw();
  };
  const pick = (key, options) => {
    const box = make("select", { id: "by-" + key, on: { change: () => { wanted[key] = box.value; changed(key); } } });
    box.append(says(make("option", { value: "" }), "all"));
    for (const [value, text] of options) {
      const option = make("option", { value });
      box.append(typeof text === "string" ? (option.textContent = text, option) : says(option, text));
    }
    return make("div", { class: "pick" }, says(make("label", { for: box.id }), key), box);
  };
  const changed = (key) => {
    if (key === "day") { setRange(); load(); }
    if (state.selected && !zonelog.fits(state.selected, wanted, null)) select(null);
    refresh();
  };
  const daysWithFindings = () => [...new Set([...data.days.map((day) => day.date), ...findings.map((f) => f.day)])].sort();
  const search = make("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false", on: {
    input: () => { wanted.query = search.value.trim().toLowerCase(); refresh(); },
    keydown: (event) => { if (event.key === "Enter" && list.items.length) select(list.items[0]); },
  } });
  const inView = make("input", { type: "checkbox", id: "in-view", checked: true, on: { change: () => { wanted.inView = inView.checked; refresh(); } } });
  const order = make("select", { id: "order", on: { change: () => { wanted.sort = order.value; refresh(); } } },
    says(make("option", { value: "worst" }), "sort_worst"), says(make("option", { value: "time" }), "sort_time"));
  const picks = {};
  const reset = () => {
    for (const key of ["check", "vehicle", "zone", "verdict", "day"]) { wanted[key] = ""; picks[key].lastChild.value = ""; }
    search.value = wanted.query = "";
    state.view = null;
    changed("day");
  };
  const filters = () => {
    picks.verdict = pick("verdict", [4, 3, 2].map((n) => [n, () => zonelog.word(names[n])]));
    picks.check = pick("check", data.checks.map((check, n) => [n, () => check[zonelog.lang]]));
    picks.vehicle = pick("vehicle", data.vehicles.map((vehicle, n) => [n, vehicle]));
    picks.zone = pick("zone", [...data.zones.map((zone, n) => [n, () => zone.name[zonelog.lang]]), [-1, () => zonelog.word("no_zone")]]);
    picks.day = pick("day", daysWithFindings().map((date) => [date, date]));
    const box = make("fieldset", { class: "filters" }, says(make("legend"), "filters"), picks.verdict, picks.check, picks.vehicle, picks.zone, picks.day,
      make("div", { class: "pick" }, says(make("label", { for: "order" }), "sort"), order),
      make("label", { class: "tick", for: "in-view" }, inView, says(make("span"), "in_view")), button("reset", reset, "reset"));
    return make("details", { class: "fold", open: window.innerWidth > 760 }, says(make("summary"), "filters"), box);
  };

  // ---- one finding
  const panel = make("section", { class: "detail", hidden: true, on: { keydown: (event) => { if (event.key === "Escape") select(null); } } });
  const side = make("aside", { id: "side" });
  const remember = (hash) => { try { history.replaceState(null, "", hash || location.href.split("#")[0]); } catch { /* a frame without a place of its own */ } };
  const select = async (finding) => {
    state.selected = finding; stretch = []; state.story = state.unknown = null;
    side.classList.toggle("one", Boolean(finding));
    panel.hidden = !finding;
    if (!finding) { remember(""); refresh(); focusList(); return; }
    panel.replaceChildren();
    remember("#finding=" + encodeURIComponent(finding.id));
    const got = await Promise.allSettled([zonelog.story(finding.rank), ...touched(finding).map((date) => loadDay(date, true))]);
    if (state.selected !== finding) return;
    if (got.some((one) => one.status === "rejected")) complain();
    state.story = got[0].status === "fulfilled" ? got[0].value : null;
    stretch = stretchOf(finding);
    tell(true);
    lookAt(finding);
  };
  const focusList = () => { if (!list.focus()) search.focus(); };
  const touched = (finding) => data.days.filter((day) => day.start <= finding.end + 1 && day.end >= finding.start - 1).map((day) => day.date);
  // The parts of lines that a finding covers: lines of findings that overlap are one, with a vertex at the ends of each.
  const stretchOf = (finding) => [...loaded.values()].flatMap((day) => day.lines
    .filter((line) => line.trip === finding.trip && line.verdict >= 2)
    .map((line) => ({ day, line: zonelog.between(day, line, finding.start, finding.end) })).filter(({ line }) => line));
  const tell = (focus) => {
    if (!state.selected) return;
    if (!state.story) { panel.replaceChildren(make("button", { type: "button", class: "back", text: "← " + zonelog.word("back"), on: { click: () => select(null) } }), make("p", { text: zonelog.word("not_loaded") })); panel.firstChild.focus(); return; }
    const step = (by) => () => { const at = list.items.indexOf(state.selected) + by; if (list.items[at]) { list.activate(at); select(list.items[at]); } };
    panel.replaceChildren(...zonelog.detail(state.selected, state.story, { back: () => select(null), previous: step(-1), next: step(1) }));
    panel.scrollTop = 0;
    if (focus) panel.querySelector("h2").focus();
  };
  const moved = (act) => { quiet = true; act(); quiet = false; };
  const lookAt = (f) => {
    const degrees = (x, y) => map.options.crs.pointToLatLng(L.point(x * 256, y * 256), 0);
    const bounds = L.latLngBounds([[f.start_latitude, f.start_longitude], [f.end_latitude, f.end_longitude], [f.lat, f.lon]]);
    for (const { line } of stretch) bounds.extend(degrees(line.west, line.north)).extend(degrees(line.east, line.south));
    moved(() => map.fitBounds(bounds.pad(0.35), { maxZoom: 18, animate: false }));
    overlay.redraw();
  };
  const fromLink = () => {
    const found = /^#finding=(.+)$/.exec(location.hash);
    if (!found) return;
    let id = found[1];
    try { id = decodeURIComponent(id); } catch { /* said as it is */ }
    const finding = findings.find((one) => one.id === id);
    if (finding && finding !== state.selected) select(finding);
    state.unknown = finding ? null : zonelog.shown(id);
    tellLoading();
  };

  // ---- loading
  const status = make("p", { class: "status", role: "status" });
  const complain = () => { failed = true; tellLoading(); };
  const tellLoading = () => {
    const some = loaded.size, all = data.days.length;
    status.textContent = state.unknown ? filled("no_such", { id: state.unknown }) : failed ? zonelog.word("not_loaded")
      : state.tooMany ? filled("too_many", { some: count(some) }) : some < all && !wanted.day ? filled("loading", { some: count(some), all: count(all) }) : "";
  };
  const thinning = data.days.reduce((sum, day) => sum + day.vertices, 0) > MOST_LOADED, wholes = [];
  // A day with every vertex, or, where all days are too much to hold, thinner; of those read whole the last few are held.
  const loadDay = async (date, whole) => {
    const fits = () => loaded.has(date) && (loaded.get(date).whole || !whole);
    if (fits()) return;
    const day = await zonelog.day(date, thinning && !whole);
    if (fits()) return;
    loaded.set(date, day);
    if (thinning && whole && wholes.push(date) > MOST_WHOLE) { const old = wholes.shift(); loaded.set(old, await zonelog.day(old, true)); }
    if (performance.now() - lastDrawn > 400) { lastDrawn = performance.now(); overlay.redraw(); }
  };
  let lastDrawn = -Infinity;
  let loading = 0;
  const load = async () => {
    const mine = loading += 1, bad = new Map();
    for (const f of findings) if (f.verdict === 4) bad.set(f.day, (bad.get(f.day) || 0) + 1);
    const days = wanted.day ? data.days.filter((day) => day.date === wanted.day)
      : [...data.days].sort((a, b) => (bad.get(b.date) || 0) - (bad.get(a.date) || 0));
    let sum = 0;
    state.tooMany = false;
    for (const day of days) {
      if (sum > MOST_LOADED) { state.tooMany = true; break; }
      try { await loadDay(day.date, Boolean(wanted.day)); } catch { complain(); break; }
      sum += loaded.get(day.date).t.length;
      if (mine !== loading) return;
      tellLoading();
    }
    tellLoading();
    overlay.redraw();
    document.documentElement.dataset.loaded = String(loaded.size);
  };

  // ---- map furniture
  const zonePane = map.createPane("zones"), shapes = { zones: L.layerGroup(), band: L.layerGroup(), labels: L.layerGroup(), ground: L.layerGroup(), tiles: L.layerGroup() };
  const faces = [];
  zonePane.style.zIndex = 350;
  zonePane.setAttribute("aria-hidden", "true");
  const renderer = L.svg({ pane: "zones", padding: 0.5 });
  const zoneStyle = (zone) => ({ pane: "zones", renderer, interactive: false, color: zone.restriction ? "#7a1f63" : "#0b4a6f", weight: 2.5, fillColor: zone.restriction ? "#b0408f" : "#4aa3df", fillOpacity: zone.restriction ? 0.2 : 0.14, dashArray: zone.sketch ? "10 7" : null });
  const bandStyle = { pane: "zones", renderer, interactive: false, color: "#5c4a1e", weight: 1, dashArray: "2 4", fillColor: "#a8842c", fillOpacity: 0.16 };
  // How many: read out with their word; violations are always seen, undecided ones where there are any.
  const badge = (key, n) => {
    const word = says(make("span", { class: "hidden" }), () => ", " + zonelog.word(key) + " ");
    const sign = { violation: "badge violation" + (n ? "" : " none"), indeterminate: "badge indeterminate", not_observed: "hidden" }[key];
    return n || key === "violation" ? [word, make("span", { class: sign, text: (key === "indeterminate" ? "? " : "") + count(n) })] : [];
  };
  const zoneLabel = (zone, number) => {
    const face = make("button", { type: "button", class: "zone-name" + (zone.restriction ? " restriction" : ""), on: { click: () => {
      picks.zone.lastChild.value = wanted.zone = String(number);
      moved(() => map.fitBounds(L.geoJSON(zone.geometry).getBounds().pad(0.1), { animate: false }));
      state.view = null;
      changed("zone");
    } } });
    const name = says(make("span", { class: "name" }), () => zone.name[zonelog.lang] + (zone.sketch ? " (" + zonelog.word("sketch") + ")" : ""));
    face.append(name, ...["violation", "indeterminate", "not_observed"].flatMap((key) => badge(key, zone.counts[key])));
    L.DomEvent.disableClickPropagation(face);
    const icon = L.divIcon({ html: face, className: "zone-label", iconSize: null });
    const bounds = L.geoJSON(zone.geometry).getBounds();
    faces.push({ face, zone, at: [bounds.getNorth(), bounds.getCenter().lng] });
    return L.marker([bounds.getNorth(), bounds.getCenter().lng], { icon, interactive: false, keyboard: false });
  };
  // Labels that would cover one another: the one with fewer violations shows its number only.
  const declutter = () => {
    const taken = [], order = [...faces].sort((a, b) => b.zone.counts.violation - a.zone.counts.violation || b.zone.counts.indeterminate - a.zone.counts.indeterminate);
    for (const one of order) {
      one.face.classList.remove("short");
      let down = 0;
      const at = map.latLngToContainerPoint(one.at), wide = map.getSize().x;
      const aside = () => { const half = one.face.offsetWidth / 2 + 4; return at.x < 0 || at.x > wide || half > wide / 2 ? 0 : Math.max(0, half - at.x) - Math.max(0, at.x + half - wide); };
      const box = () => [at.x + aside() - one.face.offsetWidth / 2, at.y - 28 + down, at.x + aside() + one.face.offsetWidth / 2, at.y + down];
      const free = (own) => !taken.some((other) => own[0] < other[2] && own[2] > other[0] && own[1] < other[3] && own[3] > other[1]);
      if (!free(box())) one.face.classList.add("short");
      while (!free(box()) && down < 90) down += 10;
      one.face.style.marginTop = down - 3 + "px";
      one.face.style.marginLeft = aside() + "px";
      taken.push(box());
    }
  };
  const addZones = () => {
    data.zones.forEach((zone, number) => {
      if (zone.band) shapes.band.addLayer(L.geoJSON(zone.band, { style: bandStyle, interactive: false }));
      shapes.zones.addLayer(L.geoJSON(zone.geometry, { style: zoneStyle(zone), interactive: false }));
      shapes.labels.addLayer(zoneLabel(zone, number));
    });
    shapes.band.addTo(map); shapes.zones.addTo(map); shapes.labels.addTo(map);
  };
  // Tiles are asked for only where the page was made with an address of them; its policy allows no other.
  const addGround = async () => {
    map.createPane("ground").style.zIndex = 250;
    if (data.tiles) shapes.tiles.addLayer(L.tileLayer(data.tiles, { maxZoom: 22, maxNativeZoom: 19 })).addTo(map);
    if (data.ground) shapes.ground.addLayer(new zonelog.Ground(await zonelog.json("ground"))).addTo(map);
  };
  const showLayer = (name, on) => {
    layers[name] = on;
    for (const [group, own] of [["zones", "zones"], ["labels", "zones"], ["band", "band"], ["ground", "ground"], ["tiles", "tiles"]]) {
      if (own === name) { if (on) shapes[group].addTo(map); else shapes[group].remove(); }
    }
    overlay.redraw();
  };
  const samples = { ...zonelog.styles, zones: { color: "#0b4a6f", width: 2.5 }, band: { color: "#c9ad6b", width: 10 }, ground: { color: "#cbc4b3", width: 6 }, tiles: { color: "#cbc4b3", width: 6 } };
  const legend = () => {
    const box = make("details", { class: "legend" }, says(make("summary"), "layers"));
    for (const name of LAYERS) {
      if ((name === "ground" || name === "tiles") && !data[name]) continue;
      if (name === "band" && !data.zones.some((zone) => zone.band)) continue;
      const tick = make("input", { type: "checkbox", id: "layer-" + name, checked: true, on: { change: () => showLayer(name, tick.checked) } });
      const sample = samples[name] ? zonelog.sample(samples[name]) : make("span", { class: "samples" }, ...[4, 3, 2].map(zonelog.sign));
      box.append(make("label", { for: tick.id }, tick, sample, says(make("span"), name)));
    }
    box.open = window.innerWidth >= 1200;
    return box;
  };
  // All tracks, and the zones around them; beside the legend, where there is room for that.
  const extent = () => {
    const tracks = L.latLngBounds([[data.bounds[1], data.bounds[0]], [data.bounds[3], data.bounds[2]]]), around = tracks.pad(0.6);
    for (const zone of data.zones) {
      const own = L.geoJSON(zone.geometry).getBounds();
      if (around.intersects(own)) tracks.extend(own);
    }
    return tracks;
  };
  const fit = () => {
    const box = document.querySelector(".legend"), beside = box.open && map.getSize().x > 800 ? box.offsetWidth : 0;
    moved(() => map.fitBounds(extent(), { animate: false, maxZoom: 18, paddingTopLeft: [60, 46], paddingBottomRight: [beside ? beside + 80 : 60, 40] }));
    state.view = null;
    refresh();
  };

  // ---- places and distances
  const where = make("p", { class: "where" });
  const tellPlace = (at, line) => {
    const grid = zonelog.localGrid(at.lng, at.lat), fixed = (v) => v.toFixed(1).replace(/\B(?=(\d{3})+(?!\d))/g, " ");
    where.replaceChildren(make("span", { text: zonelog.word("lonlat") + " " + at.lat.toFixed(6) + ", " + at.lng.toFixed(6) }));
    if (grid) where.append(make("span", { text: zonelog.word("grid") + " " + fixed(grid[0]) + ", " + fixed(grid[1]) }));
    if (line) where.prepend(make("b", {}, zonelog.name(data.vehicles[data.trips[line.line.trip][0]]), " · ", zonelog.name(data.trips[line.line.trip][1]), " · " + zonelog.clock(line.time) + " · " + zonelog.word(names[line.line.verdict])));
  };
  const ruler = L.polyline([], { color: "#111111", weight: 3, dashArray: "6 4", interactive: false });
  const length = make("p", { class: "length", role: "status", hidden: true });
  const metres = () => state.measured.reduce((sum, point, k, all) => sum + (k ? zonelog.groundMetres(all[k - 1].lng, all[k - 1].lat, point.lng, point.lat) : 0), 0);
  const distance = (m) => m >= 10000 ? (m / 1000).toFixed(2) + " km" : m.toFixed(1) + " m";
  const measure = (on) => {
    state.measuring = on; state.measured = [];
    measureButton.setAttribute("aria-pressed", String(on));
    map.getContainer().classList.toggle("measuring", on);
    ruler.setLatLngs([]);
    if (on) ruler.addTo(map); else ruler.remove();
    length.hidden = !on;
    length.textContent = on ? zonelog.word("measure_help") : "";
  };
  const addPoint = (at) => {
    state.measured.push(at);
    ruler.addLatLng(at);
    length.textContent = distance(metres()) + " – " + zonelog.word("measure_help");
  };
  const tool = (key, sign, act) => {
    const made = make("button", { type: "button", class: "tool " + key, text: sign, on: { click: act } });
    says(made, key, "aria-label");
    return says(made, key, "title");
  };
  const measureButton = tool("measure", "↔", () => measure(!state.measuring));
  measureButton.setAttribute("aria-pressed", "false");
  const click = (event) => {
    if (state.measuring) { addPoint(event.latlng); return; }
    const hit = overlay.hit(event.containerPoint);
    if (!hit) return;
    if (hit.spot && hit.spot.all.length > 1 && map.getZoom() < 18 && spread(hit.spot) > 1) {
      moved(() => map.fitBounds(L.latLngBounds(hit.spot.all.map((f) => [f.lat, f.lon])).pad(0.2), { animate: false, maxZoom: 18 }));
      state.view = map.getBounds();
      refresh();
    } else if (hit.spot) select(hit.spot.finding);
    else {
      const own = findings.find((f) => f.trip === hit.line.trip && f.start <= hit.time && f.end >= hit.time && zonelog.fits(f, wanted, null));
      if (own) select(own); else tellPlace(event.latlng, hit);
    }
  };
  const spread = (spot) => Math.max(...spot.all.map((f) => zonelog.groundMetres(f.lon, f.lat, spot.all[0].lon, spot.all[0].lat)));
  let hovering = 0;
  const hover = (event) => {
    if (hovering) return;
    hovering = setTimeout(() => { hovering = 0; const hit = overlay._view && overlay._nearest(...nearby(event.containerPoint)); tellPlace(event.latlng, hit); }, 60);
  };
  const nearby = (point) => [point.x + overlay._view.margin.x, point.y + overlay._view.margin.y, 6];

  // ---- layout
  const build = () => {
    const words = data.headline, box = map.getContainer();
    const toggle = button("language", () => { zonelog.lang = zonelog.lang === "ko" ? "en" : "ko"; sayAll(); tellTime(); tellLoading(); refresh(); tell(false); declutter(); tellPlace(map.getCenter()); }, "language");
    says(toggle, () => (zonelog.lang === "ko" ? "en" : "ko"), "lang");
    const notices = data.notices.length && make("details", { class: "notices" }, says(make("summary"), () => "⚠ " + zonelog.word("notices") + " (" + data.notices.length + "): " + data.notices[0][zonelog.lang]));
    if (notices) notices.append(make("ul", {}, ...data.notices.map((notice) => says(make("li"), () => notice[zonelog.lang]))));
    const header = make("header", { class: data.verdict }, make("div", { class: "title" },
      says(make("p", { class: "set" }), () => zonelog.word("page_title") + " · " + data.title[zonelog.lang]),
      says(make("h1"), () => words.sentence[zonelog.lang]), says(make("p", { class: "apart" }), () => words.apart[zonelog.lang]),
      says(make("p", { class: "answer" }), () => data.answer[zonelog.lang])), toggle);
    if (notices) header.append(notices);
    const tools = make("div", { class: "tools", role: "group" }, tool("zoom_in", "+", () => map.zoomIn()), tool("zoom_out", "−", () => map.zoomOut()), tool("fit", "⤢", fit), measureButton);
    says(tools, "map", "aria-label");
    const frame = make("section", { id: "map-frame" });
    says(frame, "map", "aria-label");
    const speed = make("select", { id: "speed", on: { change: () => { state.speed = +speed.value; } } }, ...SPEEDS.map((s) => make("option", { value: s, text: "×" + s, selected: s === 60 })));
    says(speed, "speed", "aria-label");
    const timeBar = make("div", { class: "time" }, playButton, speed, says(make("label", { for: "time", class: "hidden" }), "time"), slider, clock,
      button("to_end", () => { play(false); slider.value = slider.max; setTime(+slider.max); }, "to-end"));
    const footer = says(make("p", { class: "made" }), () => filled("made_by", { version: data.version, zone: data.timezone }) + (data.attribution ? " · " + data.attribution : ""));
    side.append(make("div", { class: "find" }, says(make("label", { for: "search" }), "search"), search), filters(), tally, list.box, list.empty, panel);
    says(side, "findings", "aria-label");
    frame.append(box, tools, legend(), where, length, status);
    const skips = [["skip_list", "#findings"], ["skip_map", "#" + box.id]].map(([key, to]) => says(make("a", { class: "skip", href: to, on: { click: (event) => { event.preventDefault(); if (to === "#findings") focusList(); else document.querySelector(to).focus(); } } }), key));
    document.body.prepend(make("nav", { class: "skips" }, ...skips), header, make("main", {}, frame, side), make("footer", {}, timeBar, footer));
    says(document.querySelector("nav.skips"), "page_title", "aria-label");
    box.setAttribute("role", "application");
    says(box, "map", "aria-label");
  };

  const start = async () => {
    findings = zonelog.findingsOf(await zonelog.json("findings"));
    build();
    addZones();
    await addGround();
    sayAll();
    map.invalidateSize();
    overlay.addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    setRange();
    fit();
    declutter();
    map.on("moveend", () => { if (!quiet) { state.view = map.getBounds(); refresh(); } });
    map.on("zoomend moveend resize", declutter);
    map.on("click", click);
    map.on("mousemove", hover);
    map.on("move", () => tellPlace(map.getCenter()));
    map.getContainer().addEventListener("keydown", (event) => {
      if (event.key === "Enter" && state.measuring && event.target === map.getContainer()) addPoint(map.getCenter());
      if (event.key === "Escape") { if (state.measuring) measure(false); }
    });
    window.addEventListener("hashchange", fromLink);
    new ResizeObserver(() => moved(() => map.invalidateSize({ animate: false }))).observe(map.getContainer());
    tellPlace(map.getCenter());
    document.documentElement.dataset.ready = "yes";
    fromLink();
    load();
  };
  zonelog.state = state; zonelog.wanted = wanted; zonelog.select = select; zonelog.map = map;
  start();
}(window.zonelog = window.zonelog || {}));
