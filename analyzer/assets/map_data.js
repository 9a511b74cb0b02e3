"use strict";
// What the page knows: one JSON block at once, packed blocks (base64 of deflate) when they are asked for.
// All text from logs stays text: it reaches the page by textContent only.
(function (zonelog) {
  const data = zonelog.data = JSON.parse(document.getElementById("zonelog-data").textContent);
  const waiting = new Map();
  const text = new Map();

  window.zonelogChunk = (name, packed) => { text.set(name, packed); };

  const fetchChunk = (name) => new Promise((resolve, reject) => {
    const block = document.getElementById("zonelog-" + name);
    if (block) { resolve(block.textContent); return; }
    if (!data.beside) { reject(new Error(name)); return; }
    const script = document.createElement("script");
    script.src = data.beside + "/" + name + ".js";
    script.onload = () => {
      const packed = text.get(name);
      text.delete(name);
      script.remove();
      if (packed === undefined) reject(new Error(name)); else resolve(packed);
    };
    script.onerror = () => { script.remove(); reject(new Error(name)); };
    document.head.append(script);
  });

  const inflate = async (packed) => {
    const binary = atob(packed), bytes = new Uint8Array(binary.length);
    for (let k = 0; k < binary.length; k += 1) bytes[k] = binary.charCodeAt(k);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };

  // Unpacked bytes of a block; asked for twice, unpacked once; a failure may be asked for again.
  const bytesOf = (name) => fetchChunk(name).then(inflate);
  const once = (name, make) => {
    if (!waiting.has(name)) {
      const made = make();
      waiting.set(name, made);
      made.catch(() => waiting.delete(name));
    }
    return waiting.get(name);
  };
  zonelog.json = (name) => once(name, async () => JSON.parse(new TextDecoder().decode(await bytesOf(name))));
  // Days are not kept here: whole ones of a large fleet are many megabytes each.
  zonelog.day = (date, thin) => {
    const name = "day-" + date, made = once(name + (thin ? "-thin" : ""), async () => decoded(await bytes(name), thin));
    const forget = () => waiting.delete(name + (thin ? "-thin" : ""));
    made.then(forget, forget);
    return made;
  };
  const bytes = async (name) => {
    const made = once(name + "-bytes", () => bytesOf(name));
    try { return await made; } finally { waiting.delete(name + "-bytes"); }
  };

  const reader = (bytes) => {
    let at = 0;
    return {
      skip: (count) => { at += count; },
      at: () => at,
      next: () => {
        let value = 0, factor = 1, byte;
        do { byte = bytes[at]; at += 1; value += (byte & 127) * factor; factor *= 128; } while (byte & 128);
        return value % 2 ? -(value + 1) / 2 : value / 2;
      },
    };
  };

  // A day: lines (trip, verdict, first and last vertex, box, start and end), and the vertices of all:
  // x and y of Web Mercator (0 to 1), t in milliseconds since 1970. A thin one leaves out vertices of findings
  // within 2 m and 10 s of the last, which nobody tells apart before zooming in on one: then the day is read whole.
  const NEAR = 2 / 40075017, SOON = 10000;
  const decoded = (bytes, thin) => {
    const sizes = reader(bytes), lineCount = sizes.next();
    const lengths = [0, 1, 2, 3].map(() => sizes.next());
    const streams = [];
    let offset = sizes.at();
    for (const length of lengths) { streams.push(reader(bytes.subarray(offset, offset + length))); offset += length; }
    const [heads, lons, lats, times] = streams, lines = [];
    let total = 0;
    for (let k = 0; k < lineCount; k += 1) {
      const line = { trip: heads.next(), verdict: heads.next(), count: heads.next(), d: [heads.next(), heads.next(), heads.next()] };
      total += line.count;
      lines.push(line);
    }
    const x = new Float64Array(total), y = new Float64Array(total), t = new Float64Array(total);
    let lon = 0, lat = 0, time = 0, at = 0;
    for (const line of lines) {
      lon += line.d[0]; lat += line.d[1]; time += line.d[2];
      const fine = line.verdict >= 3, deg = fine ? data.fine : 20, ms = fine ? 1 : 1000;
      let stepsLon = 0, stepsLat = 0, stepsTime = 0;
      line.from = at;
      line.west = line.north = Infinity; line.east = line.south = -Infinity;
      let keptX = 0, keptY = 0, keptT = 0;
      for (let k = 0; k < line.count; k += 1) {
        if (k) { stepsLon += lons.next(); stepsLat += lats.next(); stepsTime += times.next(); }
        const px = x[at] = zonelog.worldX((lon + stepsLon * deg) / 1e7);
        const py = y[at] = zonelog.worldY((lat + stepsLat * deg) / 1e7);
        t[at] = time + stepsTime * ms;
        if (px < line.west) line.west = px;
        if (px > line.east) line.east = px;
        if (py < line.north) line.north = py;
        if (py > line.south) line.south = py;
        if (thin && fine && k && k < line.count - 1 && Math.abs(px - keptX) + Math.abs(py - keptY) < NEAR && t[at] - keptT < SOON) continue;
        keptX = px; keptY = py; keptT = t[at];
        at += 1;
      }
      line.to = at;
      line.start = t[line.from]; line.end = t[at - 1];
      delete line.d;
    }
    return at === total ? { lines, x, y, t, whole: !thin } : { lines, x: x.slice(0, at), y: y.slice(0, at), t: t.slice(0, at), whole: false };
  };
}(window.zonelog = window.zonelog || {}));
