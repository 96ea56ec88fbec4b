"""Bytes to text and back: byte order marks, UTF-8, and a guess that must prove itself for everything else."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from repair.errors import InputError

MARKS = (
    # UTF-32 first: its little-endian mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
MAGIC = {
    b"%PDF-": "a PDF: extract its text first (pdftotext)",
    b"PK\x03\x04": "a zip archive or office document: save it as text first",
    b"\x1f\x8b": "gzip data: give the file the ending .gz",
    b"\x28\xb5\x2f\xfd": "zstandard data: give the file the ending .zst",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"PAR1": "a parquet file: give it the ending .parquet",
}
SAMPLE = 256 * 1024  # the guess reads no more than this, so that a huge file costs no more than a small one
CONTROLS = bytes(i for i in range(32) if i not in b"\t\n\r\f\b\x1b")
DECLARED = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.I)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text with what is needed to write it back as it came."""

    text: str
    encoding: str
    mark: bytes

    def encode(self, text: str) -> bytes:
        """``text`` in the encoding that the input had."""
        try:
            return self.mark + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            lost = text[error.start : error.end][:20]
            raise InputError(
                f"the repaired text holds {lost!a}, which {self.encoding} cannot write; "
                "convert the input to UTF-8 first (iconv -t UTF-8)",
                "encoding",
            ) from None


def decode(raw: bytes, *, html: bool = False, announced: str = "") -> Decoded:
    """The text of ``raw``. Raises InputError for binary data and for bytes that no encoding explains.

    announced: the encoding that a server named, which is right more often than not.
    """
    for mark, encoding in MARKS:
        if raw.startswith(mark):
            try:
                return Decoded(raw[len(mark) :].decode(encoding), encoding, mark)
            except UnicodeDecodeError as error:
                raise InputError(
                    f"byte {len(mark) + error.start} breaks the {encoding} that its byte order mark announces; "
                    "repair or convert the file (iconv -c)",
                    "encoding",
                ) from None
    refuse_binary(raw)
    candidates = ["utf-8", *([announced] if announced else [])]
    if html and (declared := DECLARED.search(raw, 0, 4096)):
        candidates.append(declared[1].decode("ascii"))
    for encoding in candidates:
        if (text := _try(raw, encoding)) is not None:
            return Decoded(text, encoding, b"")
    guess = _guess(raw)
    if guess and (text := _try(raw, guess)) is not None:
        return Decoded(text, guess, b"")
    raise InputError("its encoding can't be told; convert it to UTF-8 first (iconv -f ENCODING -t UTF-8)", "encoding")


def refuse_binary(raw: bytes) -> None:
    """Raise InputError where ``raw`` is no text. A stray NUL byte in a text is no reason; a picture is."""
    for magic, what in MAGIC.items():
        if raw.startswith(magic):
            raise InputError(f"it is {what}, not text", "binary")
    sample = raw[:SAMPLE]
    controls = len(sample) - len(sample.translate(None, CONTROLS))
    if controls > 0.02 * len(sample) and controls > 1 and _wide(sample) is None:
        raise InputError("it is binary, not text; name text files only, or extract the text first", "binary")


def refuse_surrogates(text: str) -> None:
    """Raise InputError where a text holds a lone surrogate, which no encoding can write."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        code = f"\\u{ord(text[error.start]):04x}"
        raise InputError(
            f"a lone surrogate ({code}) at character {error.start}; drop or mend it", "surrogate"
        ) from None


def _guess(raw: bytes) -> str | None:
    if wide := _wide(raw[:SAMPLE]):
        return wide
    # Some bytes above ASCII in a text that is ASCII otherwise: Western European, whatever a frequency table says.
    high = len(raw) - len(raw.translate(None, bytes(range(128, 256))))
    if high <= 0.25 * len(raw) and _try(raw, "cp1252") is not None:
        return "cp1252"
    from charset_normalizer import from_bytes

    best = from_bytes(raw[:SAMPLE]).best()
    return best.encoding if best else None


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a mark shows by its NULs: nearly all on one side of the pairs."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = max(1, len(sample) // 2)
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _try(raw: bytes, encoding: str) -> str | None:
    """The text, if ``encoding`` explains every byte and gives every byte back."""
    try:
        text = raw.decode(encoding)
        return text if encoding == "utf-8" or text.encode(encoding) == raw else None
    except (UnicodeError, LookupError, ValueError):
        return None
