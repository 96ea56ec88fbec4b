"""The review in the browser: who may speak to the server, and the page in headless Chromium."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, STUB
from test_review import TEXT, Told, opened, report

pytest.importorskip("starlette")
from starlette.testclient import TestClient

from repair.journal import Journal
from repair.report import Article
from repair.review import Entry, Review
from repair.review_web import application, served

TOKEN = "right-token"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = "<img src=x onerror=alert(1)> <script>alert(1)</script> droop \x1b[31m \ud800 \u202e\n"


@pytest.fixture
def review(tmp_path: Path) -> Review:
    return opened(tmp_path, TEXT, HOSTILE)


@pytest.fixture
def client(review: Review) -> TestClient:
    client = TestClient(application(review, TOKEN, 5000, lambda: None), base_url="http://127.0.0.1:5000")
    assert client.get(f"/?token={TOKEN}").status_code == 200
    return client


def post(client: TestClient, path: str = "/api/decide", **headers: str) -> int:
    headers = {"Origin": "http://127.0.0.1:5000", "Content-Type": "application/json"} | headers
    return client.post(path, content='{"place": 0, "action": "accept"}', headers=headers).status_code


def test_the_token_is_needed_for_everything(review: Review) -> None:
    client = TestClient(application(review, TOKEN, 5000, lambda: None), base_url="http://127.0.0.1:5000")
    for path in ("/", "/review.js", "/api/batch", "/api/article/0", "/api/export/text/0", "/?token=wrong", "/?token=é"):
        assert client.get(path).status_code == 403, path
    assert client.get("/").text.startswith("The token is wrong or missing; open the address"), "a person reads this"
    assert post(client) == 403
    client.cookies.set("repair-5000", "wrong")
    assert client.get("/api/batch").status_code == 403
    assert review.counts()["open"] == len(review)


@pytest.mark.parametrize(
    "host", ["evil.example:5000", "127.0.0.1", "127.0.0.1:5001", "", "localhost.evil.example:5000"]
)
def test_another_host_name_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/api/batch", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:5001", "https://127.0.0.1:5000"])
def test_another_origin_may_not_post_or_read(client: TestClient, review: Review, origin: str) -> None:
    assert post(client, Origin=origin) == 403
    assert client.get("/api/batch", headers={"Origin": origin}).status_code == 403
    assert client.get("/api/batch", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert review.counts()["open"] == len(review)


def test_a_form_may_not_post(client: TestClient) -> None:
    assert post(client, **{"Content-Type": "text/plain"}) == 403
    assert client.post("/api/decide", content="{}", headers={"Content-Type": "application/json"}).status_code == 403


def test_every_answer_has_the_policy(client: TestClient) -> None:
    for path in ("/", "/review.css", "/api/batch", "/nowhere", "/?token=wrong"):
        policy = client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self';" in policy and "unsafe" not in policy
    page = client.get("/").text
    assert "http" not in page and "<style" not in page and " on" not in page.replace(" on>", "").split("<main")[0]


BROKEN = (
    b"",
    b"[]",
    b"{",
    b'{"place": 99, "action": "accept"}',
    b'{"place": true, "action": "skip"}',
    b'{"place": 0, "action": "own", "text": "a\\u001b"}',
    b'{"place": 0, "action": "x"}',
    b'{"place": 0, "action": "own", "text": 3}',
    b"[" * 100_000,
)


@pytest.mark.parametrize("body", BROKEN)
def test_broken_posts_change_nothing(client: TestClient, review: Review, body: bytes) -> None:
    headers = {"Origin": "http://127.0.0.1:5000", "Content-Type": "application/json"}
    assert client.post("/api/decide", content=body, headers=headers).status_code == 400
    assert review.counts()["open"] == len(review)


def test_exports(client: TestClient) -> None:
    assert post(client) == 200
    assert client.get("/api/export/text/0").text.startswith("Staff left.")
    assert "+Staff left." in client.get("/api/export/diff/0").text
    assert '"decision": {"action": "accept", "text": "Staff"}' in client.get("/api/export/jsonl/0").text
    assert client.get("/api/export/text/1").status_code == 200
    assert client.get("/api/export/text/7").status_code == client.get("/api/export/x/0").status_code == 404


@pytest.fixture
def page() -> Iterator[Any]:
    """A page of headless Chromium. Without a browser the test is skipped, but never in CI."""
    if not CHROMIUM:
        if os.environ.get("CI"):
            pytest.fail("no chromium; apt-get install chromium")
        pytest.skip("no chromium here; apt-get install chromium")
    with pytest.importorskip("playwright.sync_api").sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], headless=True)
        page = browser.new_page()
        page.set_default_timeout(120_000)  # the machine may be busy with other things
        yield page
        browser.close()


@pytest.fixture
def open_page(page: Any) -> Iterator[Callable[[Review], None]]:
    """Opens a review's page, with its first place chosen."""
    with ExitStack() as stack:

        def go(review: Review) -> None:
            page.goto(stack.enter_context(served(review)))
            page.wait_for_selector(".f.here")

        yield go


def test_the_page_decides_by_key_and_click(page: Any, open_page: Callable[[Review], None], review: Review) -> None:
    alarms: list[str] = []
    page.on("dialog", lambda dialog: (alarms.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: alarms.append(str(error)))
    page.on("console", lambda m: m.type == "error" and alarms.append(m.text))
    page.on("request", lambda r: r.url.startswith(("http://127.0.0.1", "data:")) or alarms.append(r.url))
    open_page(review)
    assert "token" not in page.url
    page.keyboard.press("y")
    page.wait_for_selector('.f[data-place="0"] ins')
    page.keyboard.press("2")
    page.wait_for_selector('.f[data-place="1"] ins:text-is("team")')
    page.click('.f[data-place="3"]')
    page.click('[data-action="reject"]')
    page.wait_for_selector('.f[data-place="3"].kept')
    page.click('.f[data-place="2"]')
    page.keyboard.press("e")
    page.keyboard.type("<b>halt</b>")
    page.keyboard.press("Enter")
    page.wait_for_selector('.f[data-place="2"] ins')
    assert page.inner_text('.f[data-place="2"] ins') == "<b>halt</b>"
    page.click("#after")
    assert "Staff left. The team agreed to <b>halt</b> it" in page.inner_text("#article")
    page.click("#before")
    assert "Workforce left. The workforce agreed" in page.inner_text("#article")
    page.keyboard.press("u")
    page.wait_for_selector('.f[data-place="2"]:not(.done)')
    page.click('#queue button[data-entry="1"]')
    page.wait_for_selector('#article p:has-text("<img")')
    assert page.query_selector("#article img, #article script") is None
    assert "droop \\x1b[31m \\ud800 \\u202e" in page.inner_text("#article")
    assert review.counts() == {"accept": 2, "reject": 1, "open": 5}
    assert not alarms


def test_the_name_of_a_file_is_shown_as_text(page: Any, open_page: Callable[[Review], None], tmp_path: Path) -> None:
    alarms: list[str] = []
    page.on("dialog", lambda dialog: (alarms.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda m: m.type == "error" and alarms.append(m.text))
    names = ["<img src=x onerror=alert(1)>.txt", "<script>alert(2)<\\script>\x1b[2J\u202e.txt"]
    entries = [Entry(name, Article(TEXT), report(TEXT)) for name in names]
    review = Review(entries, Journal({name: tmp_path / "names.review" for name in names}))
    open_page(review)
    assert page.inner_text("#name") == page.title() == names[0]
    assert "<script>alert(2)<\\script>\\x1b[2J\\u202e.txt" in page.inner_text("#queue")
    assert page.query_selector("img, script:not([src])") is None and not alarms


def test_a_long_article_is_decided_place_by_place(
    page: Any, open_page: Callable[[Review], None], tmp_path: Path
) -> None:
    """A decision touches its own node only, however long the article; benchmarks/review.py says how quick it is."""
    sentence = "The plan to droop was made by people who had thought about it "
    review = opened(tmp_path, "".join(f"{sentence}{n}.{chr(10) if n % 4 == 3 else ' '}" for n in range(3000)))
    open_page(review)
    touched = page.evaluate("""async () => {
      const touched = new Set();
      const note = (changes) => changes.forEach((c) => touched.add(c.target.closest?.(".f")?.dataset.place ?? "?"));
      const watch = new MutationObserver(note);
      watch.observe($("article"), { subtree: true, childList: true, attributes: true });
      await decide("accept");
      await decide("reject");
      note(watch.takeRecords());
      return [...touched].sort();
    }""")
    assert touched == ["0", "1", "2"]
    assert review.counts() == {"accept": 1, "reject": 1, "open": 2998}


def test_no_key_of_a_quick_hand_is_lost(page: Any, open_page: Callable[[Review], None], review: Review) -> None:
    """Keys that come before the answer to the last one take their turn; those of a key held down do not."""
    open_page(review)
    page.evaluate("""() => {
      const press = (key, repeat = false) =>
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key, repeat, bubbles: true }));
      for (const key of "yyn") press(key);
      for (let n = 0; n < 9; n++) press("y", true);
    }""")
    page.evaluate("async () => { while (busy) await new Promise((done) => setTimeout(done, 5)); }")
    assert review.counts() == {"accept": 2, "reject": 1, "open": 5}


def test_ignoring_asks_where_by_key_and_by_click(
    page: Any, open_page: Callable[[Review], None], tmp_path: Path
) -> None:
    told = Told(None)
    review = opened(tmp_path, TEXT, silence=told)
    open_page(review)
    page.keyboard.press("i")
    page.wait_for_selector("#where[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#where:not([open])", state="attached")
    assert told.calls == [] and review.counts()["open"] == 7
    page.click('[data-action="ignore"]')
    page.wait_for_selector("#where[open]")
    assert "Workforce" in page.inner_text("#ignored")
    page.keyboard.press("p")
    page.wait_for_selector('.f[data-place="0"].kept')
    page.click('.f[data-place="2"]')
    page.keyboard.press("i")
    page.wait_for_selector('.f[data-place="2"].kept')
    assert told.calls == [("Workforce", True, "project"), ("droop", True, "project")]


def test_u_means_the_user_where_that_is_asked(page: Any, open_page: Callable[[Review], None], tmp_path: Path) -> None:
    """And does not undo at the same time, as it would anywhere else."""
    told = Told(None)
    review = opened(tmp_path, TEXT, silence=told)
    open_page(review)
    page.keyboard.press("i")
    page.wait_for_selector("#where[open]")
    page.keyboard.press("u")
    page.wait_for_selector('.f[data-place="0"].kept')
    page.keyboard.press("n")
    page.wait_for_selector('.f[data-place="2"].kept')
    assert told.calls == [("Workforce", True, "user")] and review.counts() == {"ignore": 4, "reject": 1, "open": 2}


def test_keys_typed_ahead_keep_their_order_and_meaning(
    page: Any, open_page: Callable[[Review], None], tmp_path: Path
) -> None:
    """Also those for a dialog that opens only after the answer under way, and those after an own wording."""
    told = Told(None)
    review = opened(tmp_path, TEXT, silence=told)
    open_page(review)
    page.evaluate("""() => {
      for (const key of ["j", "y", "i", "p", "n"])
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    }""")
    page.wait_for_selector('.f[data-place="3"].kept')
    assert told.calls == [("droop", True, "project")]
    assert review.counts() == {"accept": 1, "ignore": 2, "reject": 1, "open": 3}
    page.evaluate("""() => {
      const press = (key) =>
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      press("e");
      $("own").value = "crew";
      $("form").requestSubmit();
      press("y");
      press("e");
      $("own").value = "hands";  // typed before the answer has come
    }""")
    page.wait_for_selector('.f[data-place="5"].done')
    page.wait_for_selector('.f[data-place="0"].here')
    assert page.input_value("#own") == "hands"
    page.keyboard.press("Enter")
    page.wait_for_selector('.f[data-place="0"].done')
    assert "hands left. The staff agreed to droop it on nighttime; our crew and their staff" in review.repair(0).text


def test_keys_typed_ahead_go_on_in_the_next_article(
    page: Any, open_page: Callable[[Review], None], review: Review
) -> None:
    open_page(review)
    page.evaluate("""() => {
      for (const key of ["n", "d", "d", "d", "n", "y"])
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    }""")
    page.evaluate("async () => { while (busy) await new Promise((done) => setTimeout(done, 5)); }")
    assert page.inner_text("#message") == "All is decided. Finish ends the review."
    assert review.counts() == {"reject": 7, "accept": 1} and review.edits(1)


def test_a_click_counts_once(page: Any, open_page: Callable[[Review], None], review: Review) -> None:
    """A second one while the answer is under way meant the same place."""
    open_page(review)
    page.evaluate("""() => { for (const n of [1, 2]) document.querySelector('[data-action="reject"]').click(); }""")
    page.wait_for_selector('.f[data-place="1"].here')
    page.evaluate("async () => { while (busy) await new Promise((done) => setTimeout(done, 5)); }")
    assert review.counts() == {"reject": 1, "open": 7}
    assert review.undo() and not review.undo()


def test_a_refused_wording_can_be_mended_and_a_filter_is_seen(
    page: Any, open_page: Callable[[Review], None], review: Review
) -> None:
    open_page(review)
    page.evaluate("""() => { $("own").value = "a\u202eb"; $("form").requestSubmit(); }""")
    page.wait_for_selector('#message:has-text("an own wording")')
    assert page.input_value("#own") == "a\u202eb" and review.counts()["open"] == 8
    page.keyboard.press("/")
    page.keyboard.type("nighttime")
    page.keyboard.press("Enter")
    page.wait_for_selector('summary:text-is("Filtered")')
    page.wait_for_selector('.f[data-place="3"].here')
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    page.wait_for_selector("#menu:not([open])")
    assert page.input_value("#search") == "nighttime"
    page.keyboard.press("n")
    page.wait_for_selector('#message:has-text("passes the filter")')


def states(page: Any) -> Iterator[str]:
    """The page's states, one after the other."""
    yield "as opened"
    page.keyboard.press("y")
    page.wait_for_selector(".f.done")
    page.keyboard.press("n")
    page.wait_for_selector(".f.kept")
    yield "after two answers"
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    yield "with the keys"
    page.keyboard.press("Escape")
    page.wait_for_selector("#keys:not([open])", state="attached")
    page.keyboard.press("i")
    page.wait_for_selector("#where[open]")
    yield "asking where"
    page.keyboard.press("Escape")
    page.wait_for_selector("#where:not([open])", state="attached")
    page.keyboard.press("/")
    page.wait_for_selector("#menu[open]")
    page.keyboard.type("droop")
    yield "with the menu, filtered"
    page.keyboard.press("Escape")
    page.wait_for_selector("#menu:not([open])")
    page.evaluate("document.querySelector('#message').textContent = 'The article changed.'")
    yield "with a message"


def test_a_key_right_after_a_dialog_closes_is_not_lost(
    page: Any, open_page: Callable[[Review], None], review: Review
) -> None:
    """Until the next frame a closed dialog may still hold the focus: a quick hand's key comes from inside it."""
    open_page(review)
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    page.evaluate("""() => {
      document.querySelector("#keys").close();
      const press = new KeyboardEvent("keydown", { key: "/", bubbles: true, cancelable: true });
      document.querySelector("#keys button").dispatchEvent(press);
    }""")
    page.wait_for_selector("#menu[open]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_the_page_passes_the_audit_of_axe(
    page: Any, open_page: Callable[[Review], None], tmp_path: Path, scheme: str, width: int
) -> None:
    """WCAG 2.2 A and AA as far as axe-core can tell: contrast, names, roles, sizes of what is clicked."""
    axe = pytest.importorskip("axe_playwright_python.base")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 780})
    open_page(opened(tmp_path, TEXT, TEXT.replace("agreed", "refused"), silence=Told(None)))
    page.evaluate(axe.AXE_SCRIPT)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    wanted = {"runOnly": {"type": "tag", "values": tags}}
    found = []
    for state in states(page):
        result = page.evaluate("(options) => axe.run(document, options)", wanted)
        assert len(result["passes"]) > 3  # a dialog leaves little to look at
        for violation in result["violations"]:
            for node in violation["nodes"]:
                found.append(f"{state}: {violation['id']}: {node['html'][:150]}: {node['failureSummary']}")
    assert not found, "\n".join(found)


FOCUSED = """() => {
  const node = document.activeElement;
  const [key, value] = Object.entries(node.dataset)[0] ?? ["", ""];
  const name = node.textContent || node.ariaLabel || node.labels?.[0]?.textContent || "";
  return [
    node.id || (key && node !== document.body ? `${key} ${value}` : node.tagName),
    name.trim() !== "",
    getComputedStyle(node).outlineStyle !== "none",
  ];
}"""


def test_everything_is_reached_by_the_tab_key(page: Any, open_page: Callable[[Review], None], review: Review) -> None:
    """In the order of the page, each with a name, the place under review among them, and round again."""
    open_page(review)
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    names = [name for name, _, _ in reached]
    names = names[names.index("before") :]  # where the first Tab leads is the browser's choice
    order = ["before", "diff", "after", "SUMMARY", "entry 0", "entry 1", "place 0", "nth 0", "action reject"]
    order += ["action skip", "action ignore", "scope", "own", "BUTTON"]
    assert [name for name in dict.fromkeys(names) if name != "BODY"] == order
    assert all(named and outlined for name, named, outlined in reached if name != "BODY")


def test_the_focus_stays_where_the_answers_are_given(
    page: Any, open_page: Callable[[Review], None], review: Review
) -> None:
    """Without the mouse: on the suggestions after one was chosen, on the article's place while going on by key."""
    open_page(review)
    page.focus('#suggestions [data-nth="0"]')
    page.keyboard.press("Enter")
    page.wait_for_selector('.f[data-place="1"].here')
    assert page.evaluate("document.activeElement.dataset.nth") == "0"
    assert page.get_attribute('.f[data-place="0"]', "aria-label") == "Workforce, replaced by Staff"
    page.focus('.f[data-place="1"]')
    page.keyboard.press("j")
    page.wait_for_selector('.f[data-place="2"].here')
    assert page.evaluate("document.activeElement.dataset.place") == "2"
    assert page.evaluate("document.querySelectorAll('.f[tabindex=\"0\"]').length") == 1


def test_a_narrow_page_needs_no_sideways_scrolling(
    page: Any, open_page: Callable[[Review], None], tmp_path: Path
) -> None:
    """WCAG 1.4.10: at 320 CSS pixels, also with long words and many sources; nothing of a suggestion is cut off."""
    page.set_viewport_size({"width": 320, "height": 640})
    open_page(opened(tmp_path, TEXT + "x" * 500, TEXT))
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.evaluate("places[0].suggestions[0] = ['x'.repeat(80), 0.5, 'words+wordnet+ppdb+roget+encoder+article']; go(0)")
    for part in ("article", "panel"):
        assert page.evaluate(f"$('{part}').scrollWidth <= $('{part}').clientWidth + 1"), part


@pytest.mark.parametrize("how", ["Ctrl-C", "Finish", "SIGTERM"])
def test_the_command_serves_the_page(tmp_path: Path, how: str) -> None:
    """The real command, asked over the network as a browser does. A decision is on the disk; then it ends as told.

    Ctrl-C and Finish learn from it and write it into the article; SIGTERM leaves that to the next review.
    """
    import httpx

    article, lexicon = tmp_path / "article.txt", tmp_path / "lexicon.tsv"
    article.write_text("The environment media told of herbal assets.\n", encoding="utf-8")
    command = [sys.executable, STUB, "review", "--web", "--no-browser", "-w", article]
    env = os.environ | {"PYTHONPATH": str(ROOT), "REPAIR_LEXICON": str(lexicon)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env) as process:
        try:
            assert process.stderr
            searched = (re.search(r"(http://\S+)/\?token=\S+", line) for line in process.stderr)
            found = next((match for match in searched if match), None)
            assert found, "the command ended without an address"
            origin = {"Origin": found[1]}
            with httpx.Client(trust_env=False, timeout=300, follow_redirects=True) as client:
                page = client.get(found[0])
                assert page.status_code == 200 and "review.js" in page.text
                assert client.get(f"{found[1]}/review.js").status_code == 200
                assert client.get(f"{found[1]}/api/batch").json()["articles"][0]["open"] == 2
                decision = {"place": 0, "action": "accept"}
                assert client.post(f"{found[1]}/api/decide", json=decision, headers=origin).status_code == 200
                assert "state media" in (tmp_path / "article.txt.review").read_text(encoding="utf-8")
                if how == "Finish":
                    assert client.post(f"{found[1]}/api/finish", json={}, headers=origin).status_code == 200
        finally:
            if how != "Finish":
                process.send_signal(signal.SIGINT if how == "Ctrl-C" else signal.SIGTERM)
            code = process.wait(300)
    if how == "SIGTERM":
        assert code == 143 and not lexicon.exists() and "environment media" in article.read_text()
    else:
        assert code == 1  # one place is open
        assert article.read_text() == "The state media told of herbal assets.\n"
        assert "environment media\tstate media" in lexicon.read_text()
