"""The main text of html pages, by trafilatura."""

from __future__ import annotations

from repair.errors import InputError


def main_text(page: str) -> str:
    """The main text of an html page; empty where it has none."""
    if not page.strip():
        return ""
    try:
        from trafilatura import extract

        # deduplicate off: trafilatura would remember passages of other pages, and results would depend on the order.
        text = extract(page, include_comments=False, include_tables=False, deduplicate=False)
    except ImportError as error:
        raise InputError(
            f"html needs a package that is missing ({error}); pip install lxml_html_clean", "html"
        ) from None
    except (RecursionError, ValueError, AssertionError) as error:
        raise InputError(
            f"no text can be extracted from the html ({type(error).__name__}); save it as text", "html"
        ) from None
    return text or ""
