"use strict";
// All text from logs reaches the page by textContent only: it is never markup and never code.
(function () {
  const data = JSON.parse(document.getElementById("zonelog-data").textContent);
  const words = data.words;
  let lang = data.lang;
  const map = map_zonelog;
  const styles = {
    violation: { color: "#b3261e", weight: 5, opacity: 0.95 },
    indeterminate: { color: "#e08a00", weight: 5, opacity: 0.95, dashArray: "10 5" },
    not_observed: { color: "#555", weight: 2, opacity: 0.9, dashArray: "2 7" },
    not_required: { color: "#3a6fb0", weight: 2, opacity: 0.8, dashArray: "1 4" },
    compliant: { color: "#1b6e3c", weight: 3, opacity: 0.85 },
  };
  const make = (tag, text, cls) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (cls) node.className = cls;
    return node;
  };
  const zones = L.featureGroup();
  const tracks = L.featureGroup();
  const markers = L.featureGroup();
  for (const zone of data.zones) {
    const shape = L.geoJSON(zone.geometry, {
      style: { color: zone.restriction ? "#8a1f6b" : "#24406b", weight: 2, fillOpacity: zone.restriction ? 0.18 : 0.07,
               dashArray: zone.sketch ? "8 6" : null },
    });
    shape.bindTooltip(() => make("span", zone.name[lang] + (zone.sketch ? " (" + words.sketch[lang] + ")" : "")),
      { permanent: true, direction: "center", className: "zone-name" });
    shape.addTo(zones);
  }
  for (const track of data.tracks) {
    const line = L.polyline(track.points.map((p) => [p[1], p[0]]), styles[track.verdict]);
    line.bindTooltip(() => make("span", track.vehicle + " · " + words[track.verdict][lang] + " · " + track.start + "–" + track.end),
      { sticky: true });
    line.addTo(tracks);
  }
  const popup = (finding) => {
    const box = make("div", undefined, "popup");
    box.append(make("b", words.checks[finding.check][lang] + " – " + words[finding.verdict][lang]));
    box.append(make("span", finding.message[lang]));
    const list = make("dl");
    for (const [key, value] of finding.details) {
      list.append(make("dt", words[key][lang]), make("dd", value));
    }
    box.append(list);
    return box;
  };
  const entries = data.findings.map((finding, number) => {
    const style = { radius: 7, color: "#fff", weight: 2, fillColor: styles[finding.verdict].color, fillOpacity: 1 };
    const marker = L.circleMarker([finding.place[1], finding.place[0]], style).bindPopup(() => popup(finding), { maxWidth: 360 });
    return { finding, marker, number };
  });
  for (const { marker } of [...entries].reverse()) marker.addTo(markers); // the worst come last: on top
  zones.addTo(map);
  tracks.addTo(map);
  markers.addTo(map);
  const focus = tracks.getLayers().length ? tracks.getBounds() : zones.getBounds();
  map.attributionControl.setPrefix("Leaflet 1.9.3 · zonelog");
  L.control.scale({ imperial: false }).addTo(map);
  const fit = () => { map.invalidateSize(); if (focus.isValid()) map.fitBounds(focus.pad(0.15)); };
  const sample = (verdict) => {
    const s = styles[verdict];
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("width", "46"); svg.setAttribute("height", "10");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    for (const [k, v] of [["x1", 0], ["x2", 46], ["y1", 5], ["y2", 5], ["stroke", s.color], ["stroke-width", s.weight]]) line.setAttribute(k, v);
    if (s.dashArray) line.setAttribute("stroke-dasharray", s.dashArray);
    svg.append(line);
    return svg;
  };
  const side = document.getElementById("side");
  const render = () => {
    document.documentElement.lang = lang;
    side.replaceChildren();
    const toggle = make("button", lang === "ko" ? "English" : "한국어");
    toggle.addEventListener("click", () => { lang = lang === "ko" ? "en" : "ko"; render(); redraw(); });
    side.append(toggle, make("h1", data.title[lang]), make("p", data.answer[lang], "answer " + data.verdict));
    for (const notice of data.notices) side.append(make("p", notice[lang], "notice"));
    side.append(make("h2", words.legend[lang]));
    const legend = make("div", undefined, "legend");
    for (const verdict of Object.keys(styles)) {
      const row = make("div");
      row.append(sample(verdict), make("span", words[verdict][lang]));
      legend.append(row);
    }
    side.append(legend, make("h2", words.findings[lang] + " (" + data.total + ")"));
    if (data.total > entries.length) side.append(make("p", data.more[lang], "notice"));
    if (!entries.length) side.append(make("p", words.none[lang]));
    for (const { finding, marker } of entries) {
      const button = make("button", undefined, "finding " + finding.verdict);
      button.append(make("strong", words.checks[finding.check][lang]), make("br"),
        make("span", finding.vehicle), make("br"), make("small", finding.when + " · " + words[finding.verdict][lang]));
      button.addEventListener("click", () => { map.setView(marker.getLatLng(), Math.max(map.getZoom(), 16)); marker.openPopup(); });
      side.append(button);
    }
  };
  const redraw = () => { zones.eachLayer((layer) => { layer.closeTooltip(); layer.openTooltip(); }); map.closePopup(); };
  render();
  fit();
  document.documentElement.dataset.ready = "yes";
}());
