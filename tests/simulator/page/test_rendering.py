import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.agent import samples
from simulator.page.rendering import Renderer

RENDERER = Renderer({"U1": "@alice", "C1": "#general"})
ALLOWED_TAGS = {
    *(
        "a",
        "blockquote",
        "br",
        "code",
        "div",
        "em",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "span",
        "strong",
        "ul",
    ),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "tbody", "td", "th", "thead", "tr"),
}
ALLOWED_ATTRIBUTES = {"class", "data-language", "href", "rel", "start", "tabindex", "target", "title"}
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    '![" onerror="alert(1)](https://example.com/a.png)',
    '[x](https://example.com/"onmouseover="alert(1) "title")',
    '```"><script>alert(1)</script>\ncode\n```',
    '```x"onmouseover="alert(1)\ncode\n```',
    "<!--",
    "&lt;script&gt;",
    "| <b>a</b> |\n| :-- |\n| <svg onload=alert(1)> |",
    "<@U1|<img src=x onerror=alert(1)>>",
    "<!here|<b>>",
    "https://example.com/<script>",
    '<https://example.com/"><script>alert(1)</script>>',
)


def markdown(text: str) -> str:
    return RENDERER.message({"text": "", "blocks": [{"type": "markdown", "text": text}]})


def typed(*elements: dict[str, str]) -> str:
    section = {"type": "rich_text_section", "elements": list(elements)}
    return RENDERER.message({"text": "", "blocks": [{"type": "rich_text", "elements": [section]}]})


class Checker(HTMLParser):
    """Fails on anything that is not plain, inert markup."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED_TAGS
        assert {name for name, _ in attrs} <= ALLOWED_ATTRIBUTES
        for name, value in attrs:
            assert name != "href" or re.match("(https?|mailto):", value or "", re.IGNORECASE)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)


def check(html: str) -> None:
    checker = Checker()
    checker.feed(html)
    checker.close()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_becomes_inert_markup(text: str) -> None:
    check(markdown(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_typing_becomes_inert_markup(text: str) -> None:
    check(typed({"type": "text", "text": text}))
    check(typed({"type": "link", "url": text, "text": text}))
    check(RENDERER.message({"text": text}))


@given(st.text(alphabet=st.sampled_from("<>&\"'`*_[]()!|-:#@ \njavscript:/=x0U"), max_size=60))
def test_no_markdown_becomes_active_markup(text: str) -> None:
    check(markdown(text))


@pytest.mark.parametrize("text", [samples.MENTIONS, samples.UNICODE, samples.CODE])
def test_the_agents_samples_are_rendered(text: str) -> None:
    check(markdown(text))


def test_markdown_is_formatted() -> None:
    html = markdown("# Title\n\n**bold** and *italic* and ~~gone~~\n\n- one\n- two\n\n```python\nx = 1\n```")
    for part in ("<h1>Title</h1>", "<strong>bold</strong>", "<em>italic</em>", "<s>gone</s>", "<li>one</li>"):
        assert part in html
    assert '<pre data-language="python" tabindex="0"><code>x = 1\n</code></pre>' in html


def test_a_line_break_stays_a_line_break() -> None:
    assert "one<br />\ntwo" in markdown("one\ntwo")


def test_a_table_is_aligned_without_styles() -> None:
    html = markdown("| a | b |\n| :-- | --: |\n| 1 | 2 |")
    assert '<div class="table" tabindex="0"><table>' in html
    assert '<td class="align-right">2</td>' in html
    assert "style=" not in html


def test_a_link_opens_elsewhere_and_tells_nothing() -> None:
    link = '<a href="https://example.com/a" target="_blank" rel="noopener noreferrer nofollow">'
    assert f"{link}here</a>" in markdown("[here](https://example.com/a)")
    assert f"{link}https://example.com/a</a>." in markdown("See https://example.com/a.")
    assert f"{link}https://example.com/a</a>" in markdown("<https://example.com/a>")


def test_an_address_in_code_or_in_a_link_is_no_link_of_its_own() -> None:
    assert "<a" not in markdown("`https://example.com`")
    assert markdown("[https://example.com](https://example.com)").count("<a") == 1


def test_a_relative_link_is_text() -> None:
    assert "<a" not in markdown("[state](/control/state)")


def test_a_picture_is_a_link() -> None:
    html = markdown("![a chart](https://example.com/chart.png)")
    assert "<img" not in html
    assert 'href="https://example.com/chart.png"' in html
    assert ">a chart</a>" in html


def test_entities_that_slack_would_resolve_are_shown_as_names() -> None:
    html = markdown("<@U1> in <#C1> and <!channel>, not <@U2> nor `<@U1>`")
    assert '<span class="mention">@alice</span>' in html
    assert '<span class="mention">#general</span>' in html
    assert '<span class="mention broadcast">@channel</span>' in html
    assert '<span class="mention">@U2</span>' in html
    assert "<code>&lt;@U1&gt;</code>" in html


def test_a_disarmed_mention_is_text() -> None:
    assert "mention" not in markdown("<\u200b!channel> and <\u200b@U1>")


def test_names_of_emoji_are_shown_as_emoji_outside_code() -> None:
    html = markdown(":warning: `:warning:` :no_such_thing: 10:20:30")
    assert html == '<div class="markdown"><p>⚠️ <code>:warning:</code> :no_such_thing: 10:20:30</p>\n</div>'


def test_a_typed_message_shows_names_links_and_code() -> None:
    html = typed(
        {"type": "user", "user_id": "U1"},
        {"type": "text", "text": " says <b> & `x < y`\n```\ncode\n```"},
        {"type": "channel", "channel_id": "C1"},
        {"type": "broadcast", "range": "here"},
        {"type": "link", "url": "https://example.com"},
    )
    assert '<span class="mention">@alice</span> says &lt;b&gt; &amp; <code>x &lt; y</code>' in html
    assert '<pre tabindex="0"><code>code</code></pre>' in html
    assert '<span class="mention broadcast">@here</span><a href="https://example.com"' in html


def test_a_message_without_blocks_shows_its_text() -> None:
    assert "a &lt; b <" in RENDERER.message({"text": "a &lt; b <@U1>"})


def test_a_block_that_the_page_does_not_know_leaves_the_text() -> None:
    assert "words" in RENDERER.message({"text": "words", "blocks": [{"type": "hologram"}]})


def test_a_button_shows_its_label_and_knows_its_action() -> None:
    button = {"type": "button", "action_id": "retry", "text": {"type": "plain_text", "text": "Retry <now>"}}
    shown = RENDERER.message({"text": "", "blocks": [{"type": "actions", "elements": [button]}]})
    assert 'data-action="retry">Retry &lt;now&gt;</button>' in shown
