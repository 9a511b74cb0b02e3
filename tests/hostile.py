"""Names that would run, if anything in the way from log to page ran text."""

CANARY = "window.pwned=1"
NAMES = (
    "{{7*7}}{% for x in ().__class__.__bases__ %}x{% endfor %}",
    f"</script><script>{CANARY}</script>",
    f"<img src=x onerror={CANARY}>",
    f"`${{{CANARY}}}`'\"--><svg/onload={CANARY}>",
    "=cmd|' /C calc'!A1",
    "+1+1",
    "@SUM(1)",
    "\x1b[31mred\x1b[0m [bold]x[/bold]",
    "\u202egnp.exe\u2028line",
    "</title>]]><!--",
)


def hostile_log(path):
    """Write a log whose vehicles and trips have hostile names, all outside every zone."""
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["vehicle_id", "timestamp", "latitude", "longitude", "trip_id", "control_mode"])
        for number, name in enumerate(NAMES):
            for second in (0, 5):
                when = f"2026-03-17T10:{number:02d}:{second:02d}+09:00"
                writer.writerow([name, when, 35.11, 126.70 + number * 1e-3, name, name if second else "autonomous"])
    return path
