"use strict";
// Metres on the ground, and the Korean grid: Central Belt 2010 (EPSG:5186), a transverse Mercator
// on GRS 80 after Krueger's series, below a millimetre from its definition.
(function (zonelog) {
  const A = 6378137, F = 1 / 298.257222101, E2 = F * (2 - F), E = Math.sqrt(E2);
  const N = F / (2 - F), RADIUS = (A / (1 + N)) * (1 + N ** 2 / 4 + N ** 4 / 64);
  const SERIES = [
    N / 2 - (2 / 3) * N ** 2 + (5 / 16) * N ** 3 + (41 / 180) * N ** 4,
    (13 / 48) * N ** 2 - (3 / 5) * N ** 3 + (557 / 1440) * N ** 4,
    (61 / 240) * N ** 3 - (103 / 140) * N ** 4,
    (49561 / 161280) * N ** 4,
  ];
  const RAD = Math.PI / 180, LON0 = 127, LAT0 = 38, EAST0 = 200000, NORTH0 = 600000;
  const WGS84_E2 = 0.0066943799901413165;

  const conformal = (lat) => {
    const s = Math.sin(lat);
    return Math.sinh(Math.atanh(s) - E * Math.atanh(E * s));
  };
  const arc = (lat) => {
    const xi = Math.atan(conformal(lat));
    return RADIUS * SERIES.reduce((sum, c, k) => sum + c * Math.sin(2 * (k + 1) * xi), xi);
  };

  // Metres east and north of EPSG:5186, null where that grid is not used.
  zonelog.localGrid = (lon, lat) => {
    if (lon < 124 || lon > 132 || lat < 32 || lat > 40) return null;
    const t = conformal(lat * RAD), across = (lon - LON0) * RAD;
    const xi = Math.atan2(t, Math.cos(across)), eta = Math.atanh(Math.sin(across) / Math.hypot(1, t));
    let north = xi, east = eta;
    SERIES.forEach((c, k) => {
      north += c * Math.sin(2 * (k + 1) * xi) * Math.cosh(2 * (k + 1) * eta);
      east += c * Math.cos(2 * (k + 1) * xi) * Math.sinh(2 * (k + 1) * eta);
    });
    return [EAST0 + RADIUS * east, NORTH0 + RADIUS * north - arc(LAT0 * RAD)];
  };

  // Metres between two points a few kilometres apart, within 0.05 % of the geodesic.
  zonelog.groundMetres = (lonA, latA, lonB, latB) => {
    const middle = ((latA + latB) / 2) * RAD, w2 = 1 - WGS84_E2 * Math.sin(middle) ** 2, w = Math.sqrt(w2);
    const east = (lonB - lonA) * RAD * (A * Math.cos(middle)) / w;
    return Math.hypot(east, (latB - latA) * RAD * (A * (1 - WGS84_E2)) / (w2 * w));
  };

  // Web Mercator, the whole world from 0 to 1.
  zonelog.worldX = (lon) => (lon + 180) / 360;
  zonelog.worldY = (lat) => {
    const s = Math.sin(lat * RAD);
    return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
  };
}(window.zonelog = window.zonelog || {}));
