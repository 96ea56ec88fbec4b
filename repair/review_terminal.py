"""The review in the terminal: the article with its findings marked, and a panel with suggestions and evidence.

Text of articles is built as styled text, never parsed as markup, and its control characters are made visible.

The application takes every key itself, in the order of typing, by what is on the screen at that moment. Left to the
widgets, keys that come faster than a dialog opens or closes (ssh sends them in one piece) would reach the wrong one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import ClassVar, Literal, TypeVar, cast

from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from repair.display import evidence, plain
from repair.errors import RepairError, UsageError
from repair.ignoring import WHERES, Where
from repair.journal import Action
from repair.review import ANSWERS, KEYS, Filter, Review, Scope

HINT = "y 1-9 accept  n no  e own  a d all  i ignore  s skip  u undo  ? keys  q quit"  # fits in 80 columns
PROMPTS = {"e": "your own wording", "f": "filter: >0.8 source:lexicon swap:workforce words", "/": "search"}


EDITS = {key: b.action for b in Input.BINDINGS if isinstance(b, Binding) for key in b.key.split(",")}
Part = TypeVar("Part", bound=Widget)


class Help(ModalScreen[None]):
    """All keys."""

    CSS = """
    Help { align: center middle; }
    #keys { width: 76; max-width: 100%; height: auto; max-height: 100%; border: round $primary; padding: 0 1; }
    """

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="keys"):  # on a small screen not all fits
            yield Static(Text("\n".join(f"{key:4} {meaning}" for key, meaning in KEYS)))

    def take(self, key: str) -> None:
        if key in ("down", "up", "pagedown", "pageup"):
            by = self.size.height // 2 if "page" in key else 1
            self.query_one(VerticalScroll).scroll_relative(y=by if "down" in key else -by, animate=False)
        else:
            self.dismiss()

    def on_click(self) -> None:
        if self.is_current:
            self.dismiss()


class Ask(ModalScreen[Where | None]):
    """Where "ignore always" goes; None for no answer."""

    CSS = """
    Ask { align: center middle; }
    #where { width: 76; max-width: 100%; height: auto; border: round $primary; padding: 0 1; }
    """

    def __init__(self, wording: str, place: str) -> None:
        super().__init__()
        self.wording, self.place = wording, place

    def compose(self) -> ComposeResult:
        out = Text(f"Ignore always: {plain(self.wording)}\n\n")
        for where, meaning in WHERES.items():
            out.append(f"{where[0]}  {meaning}\n", Style(bold=True, meta={"where": where}))
        out.append(f"   {plain(self.place)}\n", "dim")
        out.append("Esc  do not ignore it\n\n", Style(meta={"where": ""}))
        out.append("Asked once for this project, and remembered.", "dim")
        yield Static(out, id="where")

    def take(self, key: str) -> None:
        if key in ("u", "p", "escape"):
            self.dismiss("user" if key == "u" else "project" if key == "p" else None)

    def on_click(self, event: events.Click) -> None:
        if self.is_current and "where" in event.style.meta:
            self.dismiss(event.style.meta["where"] or None)


class Page(VerticalScroll):
    """The article, which keeps the chosen place in view when it gets another size."""

    def on_resize(self) -> None:
        app = cast(ReviewApp, self.app)
        if app.taking:
            app.call_after_refresh(app.look)


class ReviewApp(App[None]):
    """Shows a review and takes its keys."""

    CSS = """
    VerticalScroll { scrollbar-size-vertical: 1; }
    #article { width: 3fr; padding: 0 0 0 1; }
    #article Static { padding: 0 1 0 0; }
    #panel { width: 2fr; min-width: 26; border-left: solid $primary; padding: 0 0 0 1; }
    #place { padding: 0 1 0 0; }
    #status { height: 1; background: $primary; color: $text; padding: 0 1; }
    #hint { height: 1; padding: 0 1; }
    #ask { display: none; }
    .narrow #desk { layout: vertical; }
    .narrow #article { width: 1fr; height: 1fr; }
    .narrow #panel { width: 1fr; height: 10; max-height: 60%; border-left: none; border-top: solid $primary; }
    """
    AUTO_FOCUS = None
    ENABLE_COMMAND_PALETTE = False
    TITLE = "repair review"
    BINDINGS: ClassVar = []

    def __init__(self, review: Review) -> None:
        super().__init__()
        self.review = review
        self.at = review.open_after(-1) or 0
        self.entry = -1
        self.chosen = Filter()
        self.filter = ""  # the chosen one as it was typed
        self.asked = ""
        self.said = ""
        self.lines: list[tuple[int, int]] = []
        self.taking = False  # keys, from the first look on

    def compose(self) -> ComposeResult:
        yield Static(id="status")
        with Horizontal(id="desk"):
            yield Page(id="article")
            with VerticalScroll(id="panel"):
                yield Static(id="place")
        yield Input(id="ask")
        yield Static(id="hint")

    async def on_mount(self) -> None:
        self.part("#article", VerticalScroll).can_focus = False
        self.part("#panel", VerticalScroll).can_focus = False
        self.call_after_refresh(self.show, self.at)

    def on_resize(self, event: events.Resize) -> None:
        self.screen_stack[0].set_class(event.size.width < 64, "narrow")

    def part(self, name: str, kind: type[Part]) -> Part:
        """A part of the review's own screen, also while a dialog stands before it."""
        return self.screen_stack[0].query_one(name, kind)

    async def show(self, at: int) -> None:
        """Make ``at`` the chosen place, whatever article it is in."""
        before, self.at = self.at, at
        entry = self.review.places[at].entry
        page = self.part("#article", VerticalScroll)
        if entry != self.entry:
            self.entry = entry
            self.lines = _lines(self.review.entries[entry].article.text)
            await page.remove_children()
            await page.mount(*(Static(self.line(n)) for n in range(len(self.lines))))
        else:
            self.redraw([before, at])
        self.panel()
        self.taking = True
        self.call_after_refresh(self.look)

    def look(self) -> None:
        """Bring the chosen place into view; a paragraph may be longer than the screen."""
        page, n = self.part("#article", VerticalScroll), self.line_of(self.at)
        if n < len(page.children):
            paragraph = page.children[n]
            rows = self.line(n, self.at).wrap(self.console, max(1, paragraph.size.width))
            top = paragraph.virtual_region.y + max(0, len(rows) - 1)
            page.scroll_to_region(Region(0, top, 1, 1), animate=False, center=True)

    def redraw(self, places: list[int]) -> None:
        """Draw the lines of these places again, and no others."""
        mine = {self.line_of(i) for i in places if self.review.places[i].entry == self.entry}
        page = self.part("#article", VerticalScroll)
        for n in mine:
            cast(Static, page.children[n]).update(self.line(n))

    def line_of(self, i: int) -> int:
        start = self.review.places[i].finding.start
        return min(bisect_right(self.lines, start, key=lambda line: line[1]), len(self.lines) - 1)

    def line(self, n: int, until: int | None = None) -> Text:
        """A line of the article, or its beginning as far as the place ``until``, with its findings marked.

        Without colour by underline, brackets and ticks.
        """
        start, end = self.lines[n]
        text, at, out = self.review.entries[self.entry].article.text, start, Text()
        for i in self.within(start, end):
            f = self.review.places[i].finding
            decision = self.review.decision(i)
            rewrites = bool(decision and decision.rewrites)
            shown = plain(decision.text if decision and rewrites else f.observed)
            colour = "green" if rewrites else None if decision else "red" if f.confidence >= 0.9 else "yellow"
            mark = "" if not decision else "✓" if rewrites else "…" if decision.action == "skip" else "✗"
            meta = {"place": i}
            style = Style(color=colour, underline=not decision, reverse=i == self.at, bold=i == self.at, meta=meta)
            out.append(plain(text[at : f.start].rstrip("\r\n"), "\t"))
            out.append(f"[{shown}{mark}]" if i == self.at else shown + mark, style)
            at = f.end
            if i == until:
                return out
        return out.append(plain(text[at:end].rstrip("\r\n"), "\t"))

    def within(self, start: int, end: int) -> range:
        """The places of the article shown that start in a stretch of it."""

        def before(offset: int) -> int:
            return bisect_left(self.review.places, (self.entry, offset), key=lambda p: (p.entry, p.finding.start))

        return range(before(start), before(end))

    def panel(self) -> None:
        """The chosen place, its suggestions and evidence, and the progress."""
        review, i = self.review, self.at
        entry, f, decision = review.entries[review.places[i].entry], review.places[i].finding, review.decision(i)
        out = Text()
        out.append(f"{plain(f.observed)}\n", "bold").append(f"confidence {f.confidence:.2f}\n", "dim")
        if decision:
            out.append(f"decided: {decision.action} {plain(decision.text)}\n", "bold")
        out.append("\n")
        for n, s in enumerate(f.suggestions[:9], 1):
            meta = Style(bold=True, meta={"nth": n - 1})
            sources = plain(s.source).replace("+", ", ")  # which can be wrapped
            out.append(f"{n} {plain(s.text)}", meta).append(f"  {s.probability:.2f} {sources}\n", "dim")
        out.append("\n")
        for line in evidence(f.evidence):
            out.append(f"{line}\n", "dim")
        self.part("#place", Static).update(out)
        counts = review.counts()
        done = len(review) - counts["open"]
        status = f"{i + 1}/{len(review)}  {done} decided, {counts['open']} open  {self.filter}{plain(entry.name)}"
        self.part("#status", Static).update(Text(status, no_wrap=True, overflow="ellipsis"))
        hint = self.said or HINT
        self.part("#hint", Static).update(Text(hint, no_wrap=True, overflow="ellipsis"))
        self.said = ""

    async def on_click(self, event: events.Click) -> None:
        meta = event.style.meta
        if "place" in meta:
            await self.show(meta["place"])
        elif "nth" in meta:
            await self.answer("accept", nth=meta["nth"])

    async def answer(self, action: Action, text: str = "", nth: int = 0, scope: Scope = "place") -> None:
        """Decide the chosen place and go to the next open one."""
        if action == "ignore" and self.review.silence.where is None:
            f = self.review.places[self.at].finding
            self.push_screen(Ask(f.observed, self.review.silence.place), self.settle)
            return
        try:
            changed = self.review.decide(self.at, action, text, nth, scope)
        except RepairError as error:
            return self.say(str(error))
        self.redraw(changed)
        following = self.review.open_after(self.at, self.chosen)
        said = [f"{len(changed)} places decided"] if len(changed) > 1 else []
        if following is None and self.chosen == Filter():
            said.append("nothing is open any more; q quits")
        elif following is None:
            said.append("nothing open passes the filter; f shows all")
        self.said = "; ".join(said)
        await self.show(self.at if following is None else following)

    async def settle(self, where: Where | None) -> None:
        """Go on with "ignore always" where it was said where."""
        if where:
            self.review.silence.settle(where)
            await self.answer("ignore")

    async def turn(self, which: Literal["undo", "redo"]) -> None:
        """Undo or redo, and go to where that was."""
        try:
            changed = self.review.undo() if which == "undo" else self.review.redo()
        except RepairError as error:
            return self.say(str(error))
        self.said = "" if changed else f"nothing to {which}"
        self.redraw(changed)
        await self.show(changed[0] if changed else self.at)

    def say(self, message: str) -> None:
        """Show a message until the next key."""
        self.said = plain(message)
        self.panel()

    async def on_event(self, event: events.Event) -> None:
        """Keys first; what means nothing to the review goes the usual way."""
        if not (isinstance(event, events.Key) and self.taking and await self.take(event)):
            await super().on_event(event)

    async def take(self, event: events.Key) -> bool:
        """Do what a key means as things stand; False for nothing."""
        if isinstance(self.screen, Help | Ask):
            self.screen.take(event.key)
        elif self.asked:
            return await self.edit(event)
        else:
            return await self.command(event.key, event.character or "")
        return True

    async def edit(self, event: events.Key) -> bool:
        """A key for the line that is being typed."""
        field = self.part("#ask", Input)
        if event.key == "enter":
            await self.submit(field.value)
        elif event.key == "escape":
            self.close_ask()
        elif event.key in EDITS:
            await self.run_action(EDITS[event.key], field)
        elif event.is_printable and event.character:
            field.replace(event.character, *sorted(field.selection))
        else:
            return False
        return True

    async def command(self, key: str, character: str) -> bool:
        """A key for the review itself."""
        if character in ANSWERS:
            action, scope = ANSWERS[character]
            await self.answer(action, scope=scope)
        elif character.isascii() and character.isdigit() and character != "0":
            await self.answer("accept", nth=int(character) - 1)
        elif character in PROMPTS:
            self.open_ask(character)
        elif character in ("u", "r"):
            await self.turn("undo" if character == "u" else "redo")
        elif character in ("j", "k") or key in ("down", "up"):
            step = 1 if character == "j" or key == "down" else -1
            await self.show(self.review.beside(self.at, step, self.chosen))
        elif character == "?":
            self.panel()
            await self.push_screen(Help())
        elif character == "q":
            self.taking = False
            self.exit()
        else:
            return False
        return True

    def open_ask(self, key: str) -> None:
        self.panel()  # a message goes
        field = self.part("#ask", Input)
        self.asked, field.value, field.placeholder, field.display = key, "", PROMPTS[key], True
        self.call_after_refresh(field.focus)  # for its cursor

    def close_ask(self) -> None:
        self.asked = ""
        self.part("#ask", Input).display = False
        self.set_focus(None)

    async def submit(self, line: str) -> None:
        """Do what the typed line is for."""
        asked = self.asked
        self.close_ask()
        if asked == "e":
            return await self.answer("own", line)
        try:
            chosen = Filter.parse(line) if asked == "f" else Filter(words=line.strip().casefold())
        except UsageError as error:
            return self.say(str(error))
        around = [*range(self.at + 1, len(self.review)), *range(self.at + 1)]
        found = next((i for i in around if chosen.passes(self.review.places[i])), None)
        if found is None:
            self.said = (
                "no finding passes that filter" if asked == "f" else "no wording found or suggested has that in it"
            )
        elif asked == "f":
            self.chosen, self.filter = chosen, f"[{plain(line.strip())}]  " if line.strip() else ""
        await self.show(self.at if found is None else found)


def _lines(text: str) -> list[tuple[int, int]]:
    """Where the lines of a text start and end, the line's end included."""
    out, at = [], 0
    for line in text.split("\n"):
        out.append((at, at + len(line) + 1))
        at += len(line) + 1
    return out
