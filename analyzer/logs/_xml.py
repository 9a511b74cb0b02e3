"""XML read as a stream of events, whatever is in it: no tree, no entities, no network.

What would make a parser use more memory or time than the file is worth is refused: any
DOCTYPE (so there are no entities), deep nesting, very many names, very long tokens.
Names are given without their prefix, because many exporters forget the namespace.
"""

import codecs
import re
from collections.abc import Callable
from typing import IO
from xml.parsers import expat

from analyzer.errors import LogError

BLOCK_BYTES = 1 << 18
MOST_DEPTH = 100
MOST_NAMES = 5_000
LONGEST_TOKEN_BYTES = 1 << 22
_BREAKING_OFF = {
    expat.errors.codes[reason]
    for reason in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_KOREAN = {"euc-kr", "cp949", "ks_c_5601-1987", "ms949", "uhc"}
_DECLARED = re.compile(rb"""^(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str, str], None]


class _LocalNames(dict[str, str]):
    """Name -> name without prefix, made when first asked for."""

    def __missing__(self, name: str) -> str:
        local = self[name] = name.rsplit(":", 1)[-1]
        return local


class XmlReader:
    """A parser that calls `start(name, attributes)` and `end(name, text)` for every element.

    `text` is what stands between the element's last child, or its start, and its end. With
    `may_be_cut`, a document that breaks off is no error: `broken_off` has what it would be.
    """

    def __init__(self, path: str, start: Start, end: End, *, may_be_cut: bool = False) -> None:
        self.path = path
        self.broken_off: LogError | None = None
        self._may_be_cut = may_be_cut
        self.skipped_lines = 0
        self._start_of, self._end_of = start, end
        self._local = _LocalNames()
        self._text: list[str] = []
        self._depth = 0
        self._names: dict[str, str] = {}
        self._decode: Callable[[bytes], str] | None = None
        self._parser = self._new_parser(None)
        self._seen = 0
        self._last_end = ("", -1)

    def read(self, stream: IO[bytes]) -> None:
        """Read a whole document; LogError where it is not sound."""
        block = stream.read(BLOCK_BYTES)
        self.begin(block)
        while block:
            self.feed(block)
            block = stream.read(BLOCK_BYTES)
        self.close()

    def begin(self, head: bytes) -> bool:
        """Prepare for the encoding that the first bytes declare; return whether it is UTF-8."""
        declared = _DECLARED.match(head)
        encoding = declared[1].decode("ascii").lower() if declared else "utf-8"
        if encoding in _KOREAN:
            self._decode = codecs.getincrementaldecoder("cp949")().decode
            self._parser = self._new_parser("utf-8")
        return (
            encoding == "utf-8"
            and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            and b"\0" not in head
        )

    def feed(self, data: bytes) -> None:
        """Read the next bytes of a document."""
        self._parse(data)

    def feed_to_end_of(self, name: str, data: bytes) -> bool:
        """Read bytes that may end with the end of an element; return whether they did, and no comment or text."""
        self._last_end = ("", -1)
        self._parse(data)
        return self._last_end == (name, self._seen - len(f"</{name}>"))

    def close(self) -> None:
        """End the document."""
        self._parse(b"", is_final=True)

    def _parse(self, data: bytes, *, is_final: bool = False) -> None:
        """Give bytes to the parser; LogError where they are not sound."""
        try:
            data = self._decode(data).encode() if self._decode else data
            self._parser.Parse(data, is_final)
        except expat.ExpatError as error:
            reason, line = expat.ErrorString(error.code), error.lineno + self.skipped_lines
            refusal = LogError(f"{self.path}: is not sound XML ({reason}, line {line}); was it cut off?")
            if not (is_final and self._may_be_cut and error.code in _BREAKING_OFF):
                raise refusal from error
            self.broken_off = refusal
        except (LookupError, ValueError) as error:
            raise LogError(f"{self.path}: its text cannot be decoded ({error}); save it as UTF-8") from error
        self._seen += len(data)
        self._bounded(self._seen, self._parser.CurrentByteIndex)

    def _new_parser(self, encoding: str | None) -> expat.XMLParserType:
        """Return a parser that calls back."""
        parser = expat.ParserCreate(encoding, None, intern=self._names)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.StartDoctypeDeclHandler = self._doctype
        return parser

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        """Pass on the start of an element."""
        self._text.clear()
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise LogError(f"{self.path}: its elements are nested more than {MOST_DEPTH} deep; that is no log")
        self._start_of(self._local[name], attributes)

    def _end(self, name: str) -> None:
        """Pass on the end of an element."""
        self._depth -= 1
        text = "".join(self._text)
        self._text.clear()
        self._last_end = (name, self._parser.CurrentByteIndex)
        self._end_of(self._local[name], text)

    def _doctype(self, *_declared: object) -> None:
        """Refuse a document type: it can define entities, and no log needs one."""
        raise LogError(f"{self.path}: holds a DOCTYPE, which no log needs and which can do harm; remove it")

    def _bounded(self, seen: int, at: int) -> None:
        """Refuse what would make the parser slow or large."""
        if seen - at > LONGEST_TOKEN_BYTES:
            raise LogError(
                f"{self.path}: one tag or comment is longer than {LONGEST_TOKEN_BYTES} bytes; that is no log"
            )
        if len(self._names) > MOST_NAMES:
            raise LogError(f"{self.path}: uses more than {MOST_NAMES} names of elements; that is no log")


def begins_with(head: bytes, root: str) -> bool:
    """Return whether the first bytes of a file are XML with this root element, or do not reach the root."""
    text = head.decode("utf-16" if head[:2] in _UTF16 else "utf-8-sig", "ignore").lstrip()
    told = re.sub(r"<!--.*?(?:-->|$)", "", text, flags=re.DOTALL)
    found = re.search(r"<([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)[\s/>]", told)
    return text.startswith("<") and (found is None or found[2] == root)
