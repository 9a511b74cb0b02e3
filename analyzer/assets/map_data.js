"use strict";
// What the page knows: one JSON block at once, packed blocks (deflate in 91 characters) when they are asked for.
// All text from logs stays text: it reaches the page by textContent only.
(function (zonelog) {
  const data = zonelog.data = JSON.parse(document.getElementById("zonelog-data").textContent);
  // Outlines come as steps in 1e-7 degrees; GeoJSON of them.
  const walked = (steps) => {
    let lon = 0, lat = 0;
    const ring = [];
    for (let k = 0; k < steps.length; k += 2) { lon += steps[k]; lat += steps[k + 1]; ring.push([lon / 1e7, lat / 1e7]); }
    return ring;
  };
  const area = (parts) => ({ type: "MultiPolygon", coordinates: parts.map((rings) => rings.map(walked)) });
  for (const zone of data.zones) { zone.geometry = area(zone.outline); zone.band = zone.band && area(zone.band); }
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

  // Two of 91 characters are 13 bits, a last single one is 6; the high bits come first.
  const CODES = new Uint8Array(128);
  for (let code = 33, value = 0; code < 127; code += 1) if (code !== 34 && code !== 60 && code !== 92) { CODES[code] = value; value += 1; }
  const unwritten = (packed) => {
    const pairs = packed.length >> 1, odd = packed.length & 1;
    const bytes = new Uint8Array((pairs * 13 + odd * 6) >> 3);
    let bits = 0, have = 0, at = 0;
    const put = (value, count) => {
      bits = (bits << count) | value;
      for (have += count; have >= 8; at += 1) { have -= 8; bytes[at] = bits >> have; }
      bits &= (1 << have) - 1;
    };
    for (let k = 0; k < 2 * pairs; k += 2) put(CODES[packed.charCodeAt(k)] * 91 + CODES[packed.charCodeAt(k + 1)], 13);
    if (odd) put(CODES[packed.charCodeAt(2 * pairs)], 6);
    return bytes;
  };

  const inflate = async (packed) => {
    const stream = new Blob([unwritten(packed)]).stream().pipeThrough(new DecompressionStream("deflate"));
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
  // The story of a finding: its form's texts and its own numbers, by turns.
  zonelog.story = async (rank) => {
    const part = await zonelog.json("part-" + Math.floor(rank / data.part)), place = rank % data.part;
    const which = part.which[place], form = part.forms[which];
    let row = 0;
    for (let k = 0; k < place; k += 1) if (part.which[k] === which) row += 1;
    return JSON.parse(form.texts.map((text, k) => text + (k < form.at.length ? form.columns[form.at[k]][row] : "")).join(""));
  };
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

  // Small numbers, several in a byte, the first in the low bits.
  const small = (bytes, bits) => {
    const many = 8 / bits, mask = (1 << bits) - 1;
    let at = 0;
    return () => { const value = (bytes[Math.floor(at / many)] >> (bits * (at % many))) & mask; at += 1; return value; };
  };

  // The places of broken stretches along an axis, in units: a straight line through the last `order` of them (least
  // squares) leads to the next, in sixteenths; the rest comes from the stream that the fraction of the line names.
  const PARTS = 16;
  const placed = (streams, order, bits, large) => {
    const rests = streams.map((bytes) => small(bytes, bits)), most = (1 << bits) - 1, last = new Float64Array(order);
    let count = 0, sum = 0, moment = 0;
    return {
      begin: () => { count = 1; sum = moment = 0; last[0] = 0; },
      next: () => {
        const n = Math.min(count, order);
        const line = n > 1 ? Math.floor(PARTS * ((4 * n + 2) * sum - 6 * moment) / (n * (n - 1))) : PARTS * sum;
        const whole = Math.floor((line + PARTS / 2) / PARTS), over = line - whole * PARTS;
        const code = rests[Math.min(Math.abs(over), PARTS / 2 - 1) >> 1]();
        const rest = code === most ? large.next() : code % 2 ? -(code + 1) / 2 : code / 2;
        const value = over < 0 ? whole - rest : whole + rest;
        const slot = count % order, old = count >= order ? last[slot] : 0;
        moment += sum + value - (order + 1) * old;
        sum += value - old;
        last[slot] = value;
        count += 1;
        return value;
      },
    };
  };

  // A day: lines (trip, verdict, first and last vertex, box, start and end), and the vertices of all:
  // x and y of Web Mercator (0 to 1), t in milliseconds since 1970. A thin one leaves out vertices of findings
  // within 2 m and 10 s of the last, which nobody tells apart before zooming in on one: then the day is read whole.
  const NEAR = 2 / 40075017, SOON = 10000;
  const decoded = (bytes, thin) => {
    const sizes = reader(bytes), lineCount = sizes.next(), order = sizes.next(), bits = sizes.next();
    const lengths = Array.from({ length: 15 }, () => sizes.next());
    let offset = sizes.at();
    const streams = lengths.map((length) => { offset += length; return bytes.subarray(offset - length, offset); });
    const [heads, ...steps] = streams.slice(0, 5).map(reader), lines = [];
    const axes = [5, 10].map((k) => placed(streams.slice(k, k + 4), order, bits, reader(streams[k + 4])));
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
      if (fine) for (const axis of axes) axis.begin();
      line.from = at;
      line.west = line.north = Infinity; line.east = line.south = -Infinity;
      let keptX = 0, keptY = 0, keptT = 0;
      for (let k = 0; k < line.count; k += 1) {
        if (k && fine) { stepsLon = axes[0].next(); stepsLat = axes[1].next(); stepsTime += steps[3].next(); }
        else if (k) { stepsLon += steps[0].next(); stepsLat += steps[1].next(); stepsTime += steps[2].next(); }
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
