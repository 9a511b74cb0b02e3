"""Every text for people in Korean and English: the English text is the key of the gettext catalogue.

`analyzer/locale/ko.po` is read as it is, so nothing is compiled and a translator edits
one file; a test finds texts that are missing in it, or that nobody shows any more.
"""

import gettext
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

LANGUAGES = ("ko", "en")
CATALOGUE = Path(__file__).resolve().parent / "locale" / "ko.po"
Both: TypeAlias = Mapping[str, str]
"""One text in each language."""

_FIELD = re.compile(r'^(msgid_plural|msgid|msgstr(?:\[\d\])?)((?:\s*".*"\s*$)+)', re.MULTILINE)


class _Catalogue(gettext.NullTranslations):
    """A gettext catalogue that reads its own source."""

    def _parse(self, fp: Any) -> None:
        self._texts = {key: text for key, text in entries(fp.read()) if key and text}

    def gettext(self, message: str) -> str:
        """Return the translation, or the English text where there is none."""
        return self._texts.get(message, message)


def entries(source: str) -> Iterator[tuple[str, str]]:
    """Yield (msgid, msgstr) of every entry of a catalogue; Korean has one form for any number."""
    text = ""
    for name, quoted in _FIELD.findall(source):
        if name == "msgid":
            text = _unquoted(quoted)
        elif name in ("msgstr", "msgstr[0]"):
            yield text, _unquoted(quoted)


def _unquoted(quoted: str) -> str:
    """Return what the strings of some lines are together."""
    return "".join(json.loads(line) if "\\" in line else line.strip()[1:-1] for line in quoted.strip().split("\n"))


@cache
def _korean() -> _Catalogue:
    """Return the Korean catalogue, read once."""
    with CATALOGUE.open(encoding="utf-8") as file:
        return _Catalogue(file)  # type: ignore[arg-type]


def translate(text: str, lang: str) -> str:
    """Return an English text of zonelog in a language."""
    return _korean().gettext(text) if lang == "ko" else text


def marked(text: str) -> str:
    """Return the text itself: it is shown later, by `both`, and belongs in the catalogue."""
    return text


def both(text: str, **values: Any) -> dict[str, str]:
    """Return a text in both languages; `values` fill its gaps and may be `Both` themselves."""
    return {lang: _filled(translate(text, lang), lang, values) for lang in LANGUAGES}


def several(number: int, one: str, many: str, **values: Any) -> dict[str, str]:
    """Return `one` or `many` (both have the gap `n`) in both languages, as the number asks for."""
    english = one if number == 1 else many
    gaps = {"n": f"{number:,}", **values}
    return {"ko": _filled(translate(one, "ko"), "ko", gaps), "en": _filled(english, "en", gaps)}


def _filled(text: str, lang: str, values: Mapping[str, Any]) -> str:
    """Return a text with its gaps filled; braces in the values stay what they are."""
    if not values:
        return text
    return text.format_map({key: value[lang] if isinstance(value, dict) else value for key, value in values.items()})


def joined(texts: Sequence[Both], separator: str = " ") -> dict[str, str]:
    """Return texts put together in both languages."""
    return {lang: separator.join(text[lang] for text in texts) for lang in LANGUAGES}
