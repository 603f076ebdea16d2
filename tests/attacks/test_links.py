"""Links that say one thing and lead elsewhere: in what an agent writes, and in what it cites."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge.agents.events import Citation, Finished, Source, TextDelta
from functions.bridge.markdown.links import plainly
from functions.bridge.replies.answer_text import Draft
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.replies.reply import Reply
from tests.functions.bridge.asking import take
from tests.functions.fakes import Stage

ZWSP = "\u200b"


def final(text: str, *sources: Source, hosts: tuple[str, ...] = ()) -> str:
    reply = Reply(show_rationale=False, link_hosts=hosts)
    reply.add(TextDelta(text))
    if sources:
        reply.add(Citation(sources))
    reply.add(Finished())
    return reply.final()


@pytest.mark.parametrize(
    "link",
    [
        "[https://bank.example](https://evil.example)",
        "[bank.example](https://evil.example/bank.example)",
        '[bank.example](<https://evil.example> "bank.example")',
        "[Log in at bank.example](//evil.example)",
        "[**bank**.example](https://evil.example)",
        "[bank&period;example](https://evil.example)",
        "[bank\uff0eexample](https://evil.example)",  # a full-width stop
        f"[ba{ZWSP}nk.example](https://evil.example)",
        "[bank.example\n](https://evil.example)",
        "[ann@bank.example](mailto:ann@evil.example)",
        "[bank.example](mailto:ann@evil.example)",
        "![bank.example](https://evil.example)",
        "<https://evil.example|https://bank.example>",
        "<mailto:a@evil.example|a@bank.example>",
        "[click](https://bank.example@evil.example)",
        "[click](https://bank.example:443@evil.example/)",
        "https://bank.example@evil.example",
        "<https://bank.example@evil.example>",
        f"[{'x' * 600} bank.example](https://evil.example)",
    ],
)
def test_a_link_that_names_another_host_shows_its_own_behind_it(link: str) -> None:
    assert final(f"See {link} now.") == f"See {link} (evil.example) now."


def test_lookalike_letters_in_a_host_are_made_visible() -> None:
    link = "[paypal.com](https://p\u0430ypal.com)"
    assert final(link) == f"{link} (xn--pypal-4ve.com)"


@pytest.mark.parametrize(
    "link",
    [
        "[the bank](https://bank.example/login)",
        "[bank.example](https://bank.example/login)",
        "[www.bank.example](https://BANK.example)",
        "[https://bank.example/a/README.md](https://bank.example/a/README.md)",
        "[ann@bank.example](mailto:ann@bank.example)",
        "[пример.рф](https://пример.рф/путь)",
        "https://bank.example/@ann and <https://bank.example>",
        "<https://bank.example|the bank>",
        "[1]: https://bank.example",
        "handlers[name](event, data) and a[0](b)",
        "std::vector<std::string> and Map<String|Int>",
        "<soap:Body> and [ERROR]: java.lang.Error: none",
    ],
)
def test_a_link_that_says_where_it_leads_stays_and_so_does_what_is_none(link: str) -> None:
    assert final(f"See {link} now.") == f"See {link} now."


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("[a](slack://user?id=U1)", f"[a]{ZWSP}(slack://user?id=U1)"),
        ("[a](slack&colon;//user)", f"[a]{ZWSP}(slack&colon;//user)"),
        ("[a](slack\\://user)", f"[a]{ZWSP}(slack\\://user)"),
        ("[a](javascript:alert)", f"[a]{ZWSP}(javascript:alert)"),
        ("[a](data:text/html,x)", f"[a]{ZWSP}(data:text/html,x)"),
        ("[a](<slack://x y>)", f"[a]{ZWSP}(<slack://x y>)"),
        ("[a](vscode:x 'an (open title')", f"[a]{ZWSP}(vscode:x 'an (open title')"),
        ("<slack://user|https://bank.example>", f"<{ZWSP}slack://user|https://bank.example>"),
        ("<slack://user>", f"<{ZWSP}slack://user>"),
        ("[a]: slack://user", f"[a]{ZWSP}: slack://user"),
        # Where it leads stands elsewhere, or is not certain: no link is made of it.
        ("[bank.example][1]", f"[bank.example]{ZWSP}[1]"),
        ("[bank.example]: https://evil.example", f"[bank.example]{ZWSP}: https://evil.example"),
        ("[bank.example](/path)", f"[bank.example]{ZWSP}(/path)"),
        ("[bank.example](https://evil.example/((a)))", f"[bank.example]{ZWSP}(https://evil.example/((a)))"),
        ("[a](https:evil.example)", f"[a]{ZWSP}(https:evil.example)"),
    ],
)
def test_a_link_with_another_scheme_or_an_unknown_target_is_text(link: str, shown: str) -> None:
    assert final(f"See {link} now.") == f"See {shown} now."


def test_a_link_that_programs_read_differently_is_text() -> None:
    shown = final("[a](https://evil.example\\@bank.example)")
    assert shown == f"[a]{ZWSP}(https:{ZWSP}//evil.example\\@bank.example)"


@pytest.mark.parametrize("address", ["https://a@&lt;!channel&gt;", "mailto:a@&lt;!channel&gt;"])
def test_an_invalid_host_is_not_shown(address: str) -> None:
    for shown in (final(f"[bank.example]({address})"), final("So.", Source("bank.example", address))):
        assert "<!channel>" not in shown
        assert f"]{ZWSP}(" in shown


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (
            Source("bank.example", "https://evil.example/x"),
            "1. [bank.example](https://evil.example/x) (evil.example)",
        ),
        (Source("a report", "https://evil.example/x"), "1. [a report](https://evil.example/x)"),
        (Source("a", "slack://user"), f"1. [a]{ZWSP}(slack://user)"),
        (
            Source("bank@evil", "https://bank@evil.example"),
            "1. [bank@evil](https://bank@evil.example) (evil.example)",
        ),
    ],
)
def test_a_page_that_is_cited_cannot_choose_a_title_that_disguises_it(source: Source, line: str) -> None:
    assert final("It is so.", source).endswith(line)


def test_only_links_to_the_operators_hosts_are_links_when_there_are_any() -> None:
    text = (
        "[a](https://docs.ok.example/x) [b](https://evil.example) https://evil.example "
        "<https://evil.example|c> https://ok.example"
    )
    assert final(text, Source("d", "https://evil.example"), hosts=("OK.example",)).splitlines() == [
        f"[a](https://docs.ok.example/x) [b]{ZWSP}(https:{ZWSP}//evil.example) https:{ZWSP}//evil.example "
        f"<{ZWSP}https:{ZWSP}//evil.example|c> https://ok.example [1]",
        "",
        "**Sources**",
        "",
        f"1. [d]{ZWSP}(https:{ZWSP}//evil.example)",
    ]


@pytest.mark.parametrize("style", Style)
def test_the_operators_hosts_reach_the_thread(stage: Stage, style: Style) -> None:
    options = ReplyOptions(style=style, link_hosts=("ok.example",))
    take(stage, TextDelta("See [a](https://evil.example)."), Finished(), options=options)
    assert stage.chat.texts() == [f"See [a]{ZWSP}(https:{ZWSP}//evil.example)."]


PIECES = [
    "[",
    "]",
    "(",
    ")",
    "](",
    "<",
    ">",
    "|",
    "bank.example",
    "https://",
    "evil.example",
    "slack:",
    "a",
    " ",
    "\n",
    "\n\n",
    "@",
    "\\",
    ":",
    "`",
    '"',
    "!",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_disarming_twice_changes_nothing_more(pieces: list[str]) -> None:
    shown = plainly("".join(pieces))
    assert plainly(shown).replace(" (evil.example)", "") == shown.replace(" (evil.example)", "")


@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_links_are_disarmed_by_additions_only(pieces: list[str]) -> None:
    text = "".join(pieces)
    shown = iter(plainly(text))
    assert all(sign in shown for sign in text)


@pytest.mark.parametrize(
    "text",
    [
        "See [https://bank.example](https://evil.example) and go on",
        "See [the bank](slack://user) and go on",
        "See https://bank.example@evil.example and go on",
        "See <https://evil.example|https://bank.example> and go on",
        "See [bank.example][1] and go on\n\n[1]: slack://user\n\nEnd",
        'See [bank.example](https://evil.example/a_(b) "a title") and go on',
    ],
)
def test_a_link_that_grows_letter_by_letter_is_shown_when_it_is_complete(text: str) -> None:
    draft, shown = Draft(("evil.example", "bank.example")), ""
    for letter in text:
        draft.add(letter)
        grown = draft.steady()
        assert grown.startswith(shown), "what was streamed has changed"
        shown = grown
    assert draft.closed().startswith(shown)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 60_000,
        "[a](" * 15_000,
        "![" * 20_000 + "](x)" * 5_000,
        "](" * 30_000,
        '[x](a "' * 8_000,
        "[" + "a." * 20_000 + "](x)",
        "<a|" * 20_000,
        "http://a@" * 7_000,
    ],
)
@pytest.mark.timeout(20)
def test_links_that_never_end_are_looked_at_once(text: str) -> None:
    assert plainly(text).replace(ZWSP, "").startswith(text[:1000])
