"""Which attribute is the id and which the name: chosen, or guessed where only one can be meant."""

from collections.abc import Sequence

from analyzer.errors import ZoneSetError
from analyzer.language import Both, both, joined
from analyzer.plain_text import plain
from analyzer.vectors import Feature, text_of

IDS = ("zone_id", "id", "identifier", "zoneid", "code", "구역id", "구역코드", "관리번호")
NAMES = ("name", "name_ko", "zone_name", "zonename", "구역명", "명칭", "이름", "title")
NAME_ENDS = ("_nm", "name", "명")
MOST_LISTED = 12


def ids_of(features: Sequence[Feature], chosen: str | None) -> tuple[list[str], Both]:
    """Return the id of every feature and what it was taken from; ZoneSetError lists the attributes."""
    names = attributes(features)
    if chosen is not None:
        _known(chosen, names)
        return _texts(features, chosen), both("The ids are the attribute {field}.", field=chosen)
    fitting = [n for n in names if _unique(features, n)]
    known = [n for n in fitting if n.lower() in IDS]
    if known:
        best = min(known, key=lambda n: IDS.index(n.lower()))
        return _texts(features, best), both("The ids are the attribute {field} (guessed).", field=best)
    named = [n for n in fitting if _is_name(n)]
    if len(named) == 1:
        return _texts(features, named[0]), both("The ids are the attribute {field} (guessed).", field=named[0])
    if named or [n for n in names if _texts(features, n) != [""] * len(features)]:
        raise ZoneSetError(f"which attribute is the id? Say it by --id-field. There are: {listing(features)}")
    return [f"zone-{n}" for n in range(1, len(features) + 1)], both("There are no attributes; the ids are numbers.")


def names_of(features: Sequence[Feature], ids: Sequence[str], chosen: str | None) -> tuple[list[dict[str, str]], Both]:
    """Return the Korean and English name of every feature, and what they were taken from."""
    names = attributes(features)
    if chosen is not None:
        _known(chosen, names)
        return _same(_texts(features, chosen), ids), both("The names are the attribute {field}.", field=chosen)
    if {"name_ko", "name_en"} <= set(names):
        pairs = zip(_texts(features, "name_ko"), _texts(features, "name_en"), ids, strict=True)
        made = [{"ko": ko or en or own, "en": en or ko or own} for ko, en, own in pairs]
        return made, both("The names are the attribute {field} (guessed).", field="name_ko, name_en")
    pairs_given = [f.properties.get("name") for f in features]
    if features and all(isinstance(p, dict) and {"ko", "en"} <= p.keys() for p in pairs_given):
        made = [{k: text_of(p[k]) for k in ("ko", "en")} for p in pairs_given if isinstance(p, dict)]
        return made, both("The names are the attribute {field} (guessed).", field="name")
    fitting = [n for n in names if _is_name(n) and any(_texts(features, n))]
    exact = [n for n in fitting if n.lower() in NAMES]
    best = exact if len(exact) == 1 else fitting
    if len(best) == 1:
        return _same(_texts(features, best[0]), ids), both(
            "The names are the attribute {field} (guessed).", field=best[0]
        )
    said = both("No attribute is surely the name; the ids are shown instead.")
    if best:
        said = joined([said, both("--name-field can say: {fields}.", fields=", ".join(map(plain, best)))])
    return _same(list(ids), ids), said


def listing(features: Sequence[Feature]) -> str:
    """Return the attributes with what they hold, for a person who has to choose."""
    lines = []
    for name in attributes(features)[:MOST_LISTED]:
        texts = _texts(features, name)
        lines.append(
            f"\n  {plain(name)}: {len(set(texts))} of {len(texts)} differ, for example {plain(texts[0])[:40]!r}"
        )
    return "".join(lines) or "none"


def attributes(features: Sequence[Feature]) -> list[str]:
    """Return the names of all attributes in the order of the file."""
    return list(dict.fromkeys(name for feature in features for name in feature.properties))


def _texts(features: Sequence[Feature], name: str) -> list[str]:
    """Return an attribute as texts."""
    return [text_of(f.properties.get(name)) for f in features]


def _unique(features: Sequence[Feature], name: str) -> bool:
    """Return whether an attribute tells all features apart."""
    texts = _texts(features, name)
    return all(texts) and len(set(texts)) == len(texts)


def _is_name(name: str) -> bool:
    """Return whether an attribute is called like a name."""
    own = name.lower()
    return own in NAMES or own.endswith(NAME_ENDS)


def _same(texts: Sequence[str], ids: Sequence[str]) -> list[dict[str, str]]:
    """Return names that are the same in both languages; the id where there is none."""
    return [{"ko": text or own, "en": text or own} for text, own in zip(texts, ids, strict=True)]


def _known(name: str, names: Sequence[str]) -> None:
    """Refuse an attribute that no feature has."""
    if name not in names:
        raise ZoneSetError(f"there is no attribute {name!r}; there are: {', '.join(map(plain, names)) or 'none'}")
