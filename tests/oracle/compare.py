"""Where the engine and the oracle differ, as sentences."""

TIME_US = 100_000
PEAK = 0.1
TIE = 0.06


def differences(verdicts, analysis):
    """Return what differs between the oracle's verdicts and an Analysis; empty where they agree."""
    mine = sorted(map(row_of, verdicts.findings), key=lambda r: r[:6])
    theirs = sorted(map(engine_row, analysis.findings.iter_rows(named=True)), key=lambda r: r[:6])
    out = []
    if [r[:5] for r in mine] != [r[:5] for r in theirs]:
        only_mine = [r for r in mine if not any(close(r, o) for o in theirs)]
        only_theirs = [r for r in theirs if not any(close(r, o) for o in mine)]
        out += [f"only oracle: {r}" for r in only_mine] + [f"only engine: {r}" for r in only_theirs]
        if not out:
            out.append(f"counts differ: {len(mine)} {len(theirs)}")
        return out
    ties = set()
    for a, b in zip(mine, theirs, strict=True):
        if not close(a, b):
            out.append(f"times: {a} / {b}")
        if (a[7] is None) != (b[7] is None) or (a[7] is not None and abs(a[7] - b[7]) > max(PEAK, 6e-4 * a[7])):
            out.append(f"peak: {a} / {b}")
        if a[8] != b[8]:
            if a[9] is not None and abs(a[9]) < TIE:
                ties.add((a[0], a[1], a[2]))
            else:
                out.append(f"verdict: {a} / {b}")
        if a[10] != b[10]:
            out.append(f"matched: {a} / {b}")
        if abs(a[11] - b[11]) > 0.1:
            out.append(f"observed: {a} / {b}")
    return out + coverage_differences(verdicts, analysis, ties)


def coverage_differences(verdicts, analysis, ties):
    mine = {(t.vehicle, t.id, t.fixes[0].t, c): (v, round(s, 6), n, m) for t, c, v, s, n, m in verdicts.coverage}
    theirs = {}
    for r in analysis.coverage.iter_rows(named=True):
        key = (r["vehicle_id"], r["trip_id"], micros(r["trip_start"]), r["check"])
        theirs[key] = (r["verdict"], round(r["observed_share"], 6), r["findings"], r["suppressed"])
    out = []
    for key in sorted({*mine, *theirs}):
        a, b = mine.get(key), theirs.get(key)
        if a != b and not ((key[0], key[1], key[3]) in ties and a and b and a[1:] == b[1:]):
            out.append(f"coverage {key}: oracle {a} engine {b}")
    return out


def row_of(f):
    rule = f.rule.key if f.rule else (None, 0)
    duration = (f.end - f.start) / 1e6
    matched = tuple(sorted(f.matched))
    return (
        f.trip.vehicle,
        f.trip.id,
        f.check,
        rule[0] or "",
        rule[1],
        f.start,
        f.end,
        f.peak,
        f.verdict,
        f.spare,
        len(matched),
        0.0 if f.check == "unlogged-movement" else duration - f.hole_us / 1e6,
    )


def engine_row(r):
    matched = len([m for m in r["rules_matched"].split(";") if m])
    return (
        r["vehicle_id"],
        r["trip_id"],
        r["check"],
        r["rule_id"] or "",
        r["rule_revision"] or 0,
        micros(r["start"]),
        micros(r["end"]),
        r["peak"],
        r["verdict"],
        None,
        matched,
        r["observed_s"],
    )


def micros(moment):
    from datetime import UTC, datetime, timedelta

    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def close(a, b):
    return a[:5] == b[:5] and abs(a[5] - b[5]) <= TIME_US and abs(a[6] - b[6]) <= TIME_US
