"use strict";
// One canvas for tracks, marks and vehicles. It draws what is in view, leaves out what no eye could
// tell apart at this zoom, and keeps below MOST vertices. Verdicts differ in width and dash, not in colour alone.
(function (zonelog) {
  const MOST = 90000, CELL = 52, PAD = 0.2;
  const styles = zonelog.styles = {
    compliant: { color: "#2f6f9f", width: 1.6, dash: [] },
    not_required: { color: "#6b6b6b", width: 1.4, dash: [7, 3, 1.5, 3] },
    not_observed: { color: "#333333", width: 2.4, dash: [1.5, 5], cap: "butt" },
    indeterminate: { color: "#b35c00", width: 4, dash: [9, 5], casing: true },
    violation: { color: "#8c1010", width: 6, dash: [], casing: true },
  };
  const names = zonelog.data.verdicts;

  // A canvas in a pane of the map, larger than the view by PAD, drawn anew when the map has moved.
  const Canvas = L.Layer.extend({
    onAdd(map) {
      this._canvas = L.DomUtil.create("canvas", "leaflet-layer " + this.options.name);
      this._canvas.setAttribute("aria-hidden", "true");
      this.getPane().append(this._canvas);
      map.on("moveend zoomend viewreset resize", this.redraw, this);
      this.redraw();
    },
    onRemove(map) { this._canvas.remove(); map.off("moveend zoomend viewreset resize", this.redraw, this); },
    redraw() {
      if (this._asked || !this._map) return;
      this._asked = requestAnimationFrame(() => { this._asked = 0; this._draw(); });
    },
    _place() {
      const map = this._map, size = map.getSize(), ratio = window.devicePixelRatio || 1, canvas = this._canvas;
      const margin = L.point(Math.round(size.x * PAD), Math.round(size.y * PAD));
      const corner = map.containerPointToLayerPoint(margin.multiplyBy(-1)).round();
      const whole = size.add(margin.multiplyBy(2));
      if (canvas.width !== whole.x * ratio || canvas.height !== whole.y * ratio) {
        canvas.width = whole.x * ratio; canvas.height = whole.y * ratio;
        canvas.style.width = whole.x + "px"; canvas.style.height = whole.y + "px";
      }
      L.DomUtil.setPosition(canvas, corner);
      const origin = map.getPixelOrigin().add(corner), scale = 256 * 2 ** map.getZoom();
      const context = canvas.getContext("2d");
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, whole.x, whole.y);
      this._view = { scale, ox: origin.x, oy: origin.y, width: whole.x, height: whole.y, margin };
      return context;
    },
    _shows(line, view) {
      const s = view.scale;
      return line.east * s >= view.ox && line.west * s <= view.ox + view.width &&
        line.south * s >= view.oy && line.north * s <= view.oy + view.height;
    },
  });

  // The basemap: areas, lines and points of layers, in greys that leave the verdicts to be seen.
  zonelog.Ground = Canvas.extend({
    options: { pane: "ground", name: "ground" },
    initialize(layers) {
      this._layers = layers.map((layer) => ({
        look: /water|river|lake|stream|하천|호수|저수|수계/i.test(layer.name) ? "#c9dcea" : /park|green|forest|wood|공원|녹지|산림/i.test(layer.name) ? "#dbe7d3" : "#e4dfd3",
        areas: layer.areas.map((rings) => rings.map(ring)), lines: layer.lines.map(ring), points: layer.points.map(ring),
      }));
    },
    _draw() {
      if (!this._map) return;
      const context = this._place();
      context.lineJoin = "round";
      for (const { look, areas, lines, points } of this._layers) {
        context.fillStyle = look; context.strokeStyle = "#c2bba9"; context.lineWidth = 0.7;
        for (const rings of areas) if (this._seen(rings[0])) { context.beginPath(); for (const own of rings) this._way(context, own); context.fill("evenodd"); context.stroke(); }
        context.strokeStyle = look === "#e4dfd3" ? "#cbc4b3" : look; context.lineWidth = this._map.getZoom() > 14 ? 3 : 1.4;
        for (const own of lines) if (this._seen(own)) { context.beginPath(); this._way(context, own); context.stroke(); }
        context.fillStyle = "#8f8a7c";
        for (const own of points) if (this._seen(own)) context.fillRect(own.x[0] * this._view.scale - this._view.ox - 1.5, own.y[0] * this._view.scale - this._view.oy - 1.5, 3, 3);
      }
    },
    _seen(own) { return own.x.length && this._shows(own, this._view); },
    _way(context, { x, y }) {
      const { scale, ox, oy } = this._view;
      let px = Infinity, py = Infinity;
      for (let k = 0; k < x.length; k += 1) {
        const qx = x[k] * scale - ox, qy = y[k] * scale - oy;
        if (k && k < x.length - 1 && Math.abs(qx - px) + Math.abs(qy - py) < 0.8) continue;
        if (k) context.lineTo(qx, qy); else context.moveTo(qx, qy);
        px = qx; py = qy;
      }
    },
  });
  const ring = (steps) => {
    const own = { x: [], y: [], west: Infinity, east: -Infinity, north: Infinity, south: -Infinity };
    let lon = 0, lat = 0;
    for (let k = 0; k < steps.length; k += 2) {
      lon += steps[k]; lat += steps[k + 1];
      const x = zonelog.worldX(lon / 1e6), y = zonelog.worldY(lat / 1e6);
      own.x.push(x); own.y.push(y);
      own.west = Math.min(own.west, x); own.east = Math.max(own.east, x);
      own.north = Math.min(own.north, y); own.south = Math.max(own.south, y);
    }
    return own;
  };

  zonelog.Overlay = Canvas.extend({
    options: { pane: "overlayPane", name: "tracks" },
    initialize(scene) { this._scene = scene; this._slack = 0.7; this.drawn = this._before = 0; },
    _draw() {
      if (!this._map) return;
      const begun = performance.now();
      let context = this._place();
      for (let round = 0; round < 8; round += 1) {
        this.drawn = 0;
        this._tracks(context);
        if (this.drawn <= MOST) break;
        this._slack *= 1.6;
        context = this._place();
      }
      if (this.drawn < MOST / 3) this._slack = Math.max(0.7, this._slack / 1.6);
      this._highlight(context);
      this._marks(context);
      this._vehicles(context);
      this.frameMs = performance.now() - begun;
      document.documentElement.dataset.drawn = String(this.drawn);
    },
    // Where many lines of one verdict run over one another, a short step between two places that are painted
    // already is left out: from afar a month takes no longer than a day.
    _tracks(context) {
      const scene = this._scene, view = this._view, cased = this._before < 15000;
      const cell = Math.max(2, Math.ceil(this._slack)), wide = Math.ceil(view.width / cell) + 2, size = wide * (Math.ceil(view.height / cell) + 2);
      if (!this._painted || this._painted.length < size) this._painted = new Uint8Array(size);
      names.forEach((name, number) => {
        if (!scene.layers[name]) return;
        for (const casing of styles[name].casing && cased ? [true, false] : [false]) {
          this._pen(context, styles[name], casing);
          this._painted.fill(0);
          context.beginPath();
          let pending = 0;
          for (const day of scene.days()) {
            for (const line of day.lines) {
              if (line.verdict !== number || !scene.wants(line) || !this._shows(line, view)) continue;
              const count = this._trace(context, day, line, number >= 3 ? 0.5 : 1, { painted: this._painted, cell, wide });
              pending += count;
              if (!casing) this.drawn += count;
              if (pending > 400) { context.stroke(); context.beginPath(); pending = 0; }
            }
          }
          context.stroke();
        }
      });
      this._before = this.drawn;
      context.setLineDash([]);
    },
    _pen(context, style, casing) {
      context.lineJoin = "round";
      context.lineCap = style.cap || (style.dash.length ? "butt" : "round");
      context.setLineDash(casing ? [] : style.dash);
      context.strokeStyle = casing ? "#ffffff" : style.color;
      context.lineWidth = style.width + (casing ? 3 : 0);
    },
    // Adds the part of a line up to the scene's time to the path, without vertices that are less than `share`
    // of the slack apart; returns how many vertices that took.
    _trace(context, day, line, share, grid) {
      const { scale, ox, oy, width, height } = this._view, { x, y, t } = day, least = (this._slack * share) ** 2;
      const end = this._scene.time === null ? Infinity : this._scene.time, last = line.to - 1;
      let px = 0, py = 0, count = 0, down = false, here = -1, before = -1;
      for (let k = line.from; k <= last; k += 1) {
        let qx = x[k] * scale - ox, qy = y[k] * scale - oy;
        const late = t[k] > end;
        if (late) {
          if (k === line.from) return 0;
          const part = (end - t[k - 1]) / (t[k] - t[k - 1] || 1);
          qx = (x[k - 1] + (x[k] - x[k - 1]) * part) * scale - ox;
          qy = (y[k - 1] + (y[k] - y[k - 1]) * part) * scale - oy;
        }
        const far = (qx - px) ** 2 + (qy - py) ** 2;
        if (k > line.from && k < last && !late && far < least) continue;
        let fresh = true;
        if (grid && qx >= 0 && qy >= 0 && qx <= width && qy <= height) {
          here = Math.floor(qy / grid.cell) * grid.wide + Math.floor(qx / grid.cell);
          fresh = !grid.painted[here];
          grid.painted[here] = 1;
        } else here = -1;
        if (k === line.from) {
          if (fresh || last === line.from) { context.moveTo(qx, qy); down = true; count += 1; }
        } else if (!fresh && before >= 0 && far < 100) down = false;
        else {
          if (!down) { context.moveTo(px, py); count += 1; }
          context.lineTo(qx + (far < 0.01 ? 0.1 : 0), qy);
          down = true; count += 1;
        }
        px = qx; py = qy; before = here;
        if (late) break;
      }
      return count;
    },
    _stroke(context, day, line, share) {
      context.beginPath();
      this._trace(context, day, line, share, null);
      context.stroke();
    },
    _highlight(context) {
      const scene = this._scene, chosen = scene.selected;
      if (!chosen) return;
      for (const [color, width] of [["#000000", 15], ["#ffd60a", 11]]) {
        context.strokeStyle = color; context.lineWidth = width; context.lineCap = context.lineJoin = "round";
        for (const { day, line } of scene.stretch()) this._stroke(context, day, line, 0.5);
        if (!scene.stretch().length) this._straight(context, chosen);
      }
      for (const { day, line } of scene.stretch()) {
        this._pen(context, styles[names[line.verdict]], false);
        this._stroke(context, day, line, 0.5);
      }
      context.setLineDash([]);
      if (!scene.stretch().length) { this._pen(context, styles.not_observed, false); this._straight(context, chosen); context.setLineDash([]); }
      const [[last, end], [first, start]] = scene.ends(chosen), a = this.point(...first), b = this.point(...last);
      const near = Math.hypot(a[0] - b[0], a[1] - b[1]) < 24;
      this._flag(context, last, near ? "" : end);
      this._flag(context, first, near ? start + " · " + end : start);
    },
    _straight(context, finding) {
      const a = this.point(finding.start_longitude, finding.start_latitude), b = this.point(finding.end_longitude, finding.end_latitude);
      context.beginPath(); context.moveTo(a[0], a[1]); context.lineTo(b[0] + 0.1, b[1]); context.stroke();
    },
    point(lon, lat) {
      const { scale, ox, oy } = this._view;
      return [zonelog.worldX(lon) * scale - ox, zonelog.worldY(lat) * scale - oy];
    },
    _label(context, text, px, py) {
      context.font = "600 12px " + zonelog.font; context.textBaseline = "middle"; context.textAlign = "left";
      context.lineWidth = 4; context.lineJoin = "round"; context.strokeStyle = "#ffffff"; context.fillStyle = "#111111";
      context.strokeText(text, px, py); context.fillText(text, px, py);
    },
    _flag(context, place, label) {
      const [px, py] = this.point(place[0], place[1]);
      context.fillStyle = "#ffffff"; context.strokeStyle = "#111111"; context.lineWidth = 2;
      context.beginPath(); context.rect(px - 4, py - 4, 8, 8); context.fill(); context.stroke();
      this._label(context, label, px + 9, py - 9);
    },
    // Marks that fall together are one: the weightiest says how it looks, the number is that of its verdict.
    _marks(context) {
      const scene = this._scene, cells = new Map(), view = this._view;
      this.spots = [];
      if (!scene.layers.marks) return;
      for (const finding of scene.marked()) {
        if (finding === scene.selected) continue;
        const [px, py] = this.point(finding.lon, finding.lat);
        if (px < -20 || py < -20 || px > view.width + 20 || py > view.height + 20) continue;
        const key = Math.floor(px / CELL) * 65536 + Math.floor(py / CELL), cell = cells.get(key);
        if (!cell) cells.set(key, { px, py, finding, count: 1, all: [finding] });
        else {
          if (cell.all.length < 50) cell.all.push(finding);
          if (finding.verdict === cell.finding.verdict) cell.count += 1;
          else if (finding.verdict > cell.finding.verdict) Object.assign(cell, { finding, px, py, count: 1 });
        }
      }
      this.spots = [...cells.values()].sort((a, b) => a.finding.verdict - b.finding.verdict);
      const chosen = scene.selected;
      if (chosen) {
        const [px, py] = this.point(chosen.lon, chosen.lat);
        this.spots.push({ px, py, finding: chosen, count: 1, all: [chosen] });
      }
      for (const spot of this.spots) this._mark(context, spot, spot.finding === chosen);
    },
    _mark(context, { px, py, finding, count }, chosen) {
      const name = names[finding.verdict], text = count > 999 ? "999+" : String(count), radius = count > 1 ? 7 + 2.5 * text.length : 8;
      context.beginPath();
      if (name === "violation") context.arc(px, py, radius, 0, 2 * Math.PI);
      else if (name === "indeterminate") { context.moveTo(px, py - radius - 2); context.lineTo(px + radius + 2, py); context.lineTo(px, py + radius + 2); context.lineTo(px - radius - 2, py); context.closePath(); }
      else context.rect(px - radius + 1, py - radius + 1, 2 * radius - 2, 2 * radius - 2);
      context.lineWidth = chosen ? 7 : 4.5; context.strokeStyle = chosen ? "#ffd60a" : "#ffffff"; context.stroke();
      const solid = name === "violation";
      context.fillStyle = solid ? styles.violation.color : "#ffffff"; context.fill();
      context.lineWidth = 2; context.strokeStyle = solid ? "#3d0000" : styles[name].color; context.stroke();
      context.fillStyle = solid ? "#ffffff" : name === "indeterminate" ? "#7a3e00" : "#222222";
      context.font = "700 12px " + zonelog.font; context.textAlign = "center"; context.textBaseline = "middle";
      context.fillText(count > 1 ? text : zonelog.signs[name], px, py + 0.5);
    },
    _vehicles(context) {
      const scene = this._scene;
      if (scene.time === null) return;
      const at = new Map();
      for (const day of scene.days()) {
        for (const line of day.lines) {
          if (line.start <= scene.time && line.end >= scene.time && scene.wants(line)) at.set(zonelog.data.trips[line.trip][0], [day, line]);
        }
      }
      this.vehicles = at.size;
      for (const [vehicle, [day, line]] of at) {
        const [wx, wy] = zonelog.placeAt(day, line, scene.time), { scale, ox, oy } = this._view;
        const px = wx * scale - ox, py = wy * scale - oy;
        context.beginPath(); context.arc(px, py, 7, 0, 2 * Math.PI);
        context.fillStyle = "#ffffff"; context.fill(); context.lineWidth = 3.5; context.strokeStyle = styles[names[line.verdict]].color; context.stroke();
        this._label(context, zonelog.shown(zonelog.data.vehicles[vehicle]), px + 12, py);
      }
    },
    // What lies at a point of the map's container: a mark, else the line nearest within a few pixels.
    hit(container) {
      const px = container.x + this._view.margin.x, py = container.y + this._view.margin.y;
      let best = null, least = 15 ** 2;
      for (const spot of this.spots || []) {
        const d = (spot.px - px) ** 2 + (spot.py - py) ** 2;
        if (d <= least) { least = d; best = spot; }
      }
      return best ? { spot: best } : this._nearest(px, py, 7);
    },
    _nearest(px, py, reach) {
      const { scale, ox, oy } = this._view, wx = (px + ox) / scale, wy = (py + oy) / scale, r = reach / scale;
      let best = null, least = r * r;
      for (const day of this._scene.days()) {
        for (const line of day.lines) {
          if (line.east < wx - r || line.west > wx + r || line.south < wy - r || line.north > wy + r) continue;
          if (!this._scene.layers[names[line.verdict]] || !this._scene.wants(line)) continue;
          for (let k = line.from; k < line.to; k += 1) {
            const n = Math.min(k + 1, line.to - 1), ax = day.x[k], ay = day.y[k], dx = day.x[n] - ax, dy = day.y[n] - ay;
            const share = Math.max(0, Math.min(1, ((wx - ax) * dx + (wy - ay) * dy) / (dx * dx + dy * dy || 1)));
            const d = (ax + share * dx - wx) ** 2 + (ay + share * dy - wy) ** 2;
            if (d < least || (best && d <= least && line.verdict > best.line.verdict)) { least = d; best = { line, day, time: day.t[k] + share * (day.t[n] - day.t[k]) }; }
          }
        }
      }
      return best;
    },
  });

  zonelog.signs = { violation: "!", indeterminate: "?", not_observed: "…" };
  zonelog.font = '"Noto Sans KR", "Noto Sans CJK KR", "Malgun Gothic", "Apple SD Gothic Neo", system-ui, sans-serif';
  // A name on one line of a canvas: control and direction characters would move other text.
  zonelog.shown = (name) => name.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, "\ufffd").slice(0, 40);
  // The part of a line from one time to another, null where it has no way there. Holes are kept in whole seconds.
  zonelog.between = (day, line, start, end) => {
    const slack = line.verdict === 2 ? 600 : 1;
    let { from, to } = line;
    while (from < to && day.t[from] < start - slack) from += 1;
    while (to > from && day.t[to - 1] > end + slack) to -= 1;
    if (to - from < 2) return null;
    const xs = day.x.subarray(from, to), ys = day.y.subarray(from, to), ends = (values) => values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
    const [west, east] = ends(xs), [north, south] = ends(ys);
    return { ...line, from, to, west, east, north, south, start: day.t[from], end: day.t[to - 1] };
  };
  zonelog.placeAt = (day, line, time) => {
    let low = line.from, high = line.to - 1;
    while (high - low > 1) { const middle = (low + high) >> 1; if (day.t[middle] <= time) low = middle; else high = middle; }
    const part = Math.max(0, Math.min(1, (time - day.t[low]) / (day.t[high] - day.t[low] || 1)));
    return [day.x[low] + part * (day.x[high] - day.x[low]), day.y[low] + part * (day.y[high] - day.y[low])];
  };
}(window.zonelog = window.zonelog || {}));
