from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.agent.days import READ, days_asked, not_to_tell

TODAY = date(2026, 11, 23)  # a Monday
SUNDAY = date(2026, 11, 29)


def asked(question: str, today: date = TODAY) -> tuple[str, str]:
    """The first and the last day, as month and day."""
    found = days_asked(question, today)
    assert found.unclear == ""
    return f"{found.dates[0]:%m-%d}", f"{found.dates[-1]:%m-%d}"


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("today", "11-23", "11-23"),
        ("this afternoon", "11-23", "11-23"),
        ("tomorrow", "11-24", "11-24"),
        ("tommorow", "11-24", "11-24"),
        ("the day after tomorrow", "11-25", "11-25"),
        ("on Friday", "11-27", "11-27"),
        ("on Monday", "11-23", "11-23"),
        ("next Friday", "12-04", "12-04"),
        ("Friday next week", "12-04", "12-04"),
        ("next week on Friday", "12-04", "12-04"),
        ("on Friday and Saturday", "11-27", "11-28"),
        ("from Friday to Sunday", "11-27", "11-29"),
        ("between Tuesday and Thursday", "11-24", "11-26"),
        ("Friday-Sunday", "11-27", "11-29"),
        ("this weekend", "11-28", "11-29"),
        ("next weekend", "12-05", "12-06"),
        ("this week", "11-23", "11-29"),
        ("the rest of the week", "11-23", "11-29"),
        ("next week", "11-30", "12-06"),
        ("the week after next", "12-07", "12-13"),
        ("for the week", "11-23", "11-29"),
        ("the next 3 days", "11-24", "11-26"),
        ("in the coming five days", "11-24", "11-28"),
        ("3-day forecast", "11-24", "11-26"),
        ("over the next two weeks", "11-24", "12-07"),
        ("in two weeks", "12-07", "12-07"),
        ("in a week", "11-30", "11-30"),
        ("3 days from now", "11-26", "11-26"),
        ("on 2026-12-03", "12-03", "12-03"),
        ("on December 3", "12-03", "12-03"),
        ("on the 3rd of December", "12-03", "12-03"),
        ("3 Dec 2026", "12-03", "12-03"),
        ("on Thursday, December 3rd, 2026", "12-03", "12-03"),
    ],
)
def test_days_to_come_are_understood(words: str, first: str, last: str) -> None:
    assert asked(f"weather in Lima {words}?") == (first, last)


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("yesterday", "11-22", "11-22"),
        ("last night", "11-22", "11-22"),
        ("the day before yesterday", "11-21", "11-21"),
        ("last Monday", "11-16", "11-16"),
        ("last Friday", "11-20", "11-20"),
        ("on Friday", "11-20", "11-20"),
        ("at the weekend", "11-21", "11-22"),
        ("last weekend", "11-21", "11-22"),
        ("last week", "11-16", "11-22"),
        ("in the last 3 days", "11-20", "11-22"),
        ("over the past two weeks", "11-09", "11-22"),
        ("three days ago", "11-20", "11-20"),
        ("a week ago", "11-16", "11-16"),
        ("on November 20", "11-20", "11-20"),
    ],
)
def test_days_that_have_been_are_understood(words: str, first: str, last: str) -> None:
    assert asked(f"What was the weather in Lima {words}?") == (first, last)


def test_weeks_end_on_sunday() -> None:
    assert asked("this week", SUNDAY) == ("11-29", "11-29")
    assert asked("next week", SUNDAY) == ("11-30", "12-06")
    assert asked("last week", SUNDAY) == ("11-16", "11-22")
    assert asked("this weekend", SUNDAY) == ("11-29", "11-29")


def test_a_date_without_a_year_is_the_nearest() -> None:
    assert days_asked("on January 2", date(2026, 12, 30)).dates == (date(2027, 1, 2),)
    assert days_asked("on December 30", date(2027, 1, 2)).dates == (date(2026, 12, 30),)
    assert days_asked("on February 29", date(2028, 2, 20)).dates == (date(2028, 2, 29),)


def test_days_of_several_phrases_come_together() -> None:
    found = days_asked("today, tomorrow or on Friday", TODAY)
    assert [day.day for day in found.dates] == [23, 24, 27]
    assert found.label == "today and tomorrow and on Friday"


@pytest.mark.parametrize(
    ("question", "unclear"),
    [
        ("Was it hot in Madrid in July?", "in July"),
        ("Is Madrid hot in the summer?", "in the summer"),
        ("this month in Rome", "this month"),
        ("at Christmas", "at Christmas"),
        ("on the 25th", "on the 25th"),
        ("on 12/3", "12/3"),
        ("on February 30", "on February 30"),
        ("on 2026-13-40", "2026-13-40"),
        ("in 2031", "in 2031"),
        ("in 2 hours", "in 2 hours"),
        ("the next few days", "the next few days"),
        ("until Friday", "until Friday"),
        ("after tomorrow", "after tomorrow"),
        ("not tomorrow", "not tomorrow"),
        ("warmer than yesterday", "than yesterday"),
        ("December 3 to 5", "December 3 to 5"),
        ("a week from tomorrow", "a week"),
        ("on Fridays", "Fridays"),
        ("on Fri", "on Fri"),
        ("Is it usually hot?", "usually"),
        ("Will it rain soon?", "soon"),
        ("by the end of the week", "end of the week"),
    ],
)
def test_what_looks_like_a_time_and_is_not_understood_is_told_of(question: str, unclear: str) -> None:
    assert unclear in days_asked(question, TODAY).unclear


@pytest.mark.parametrize(
    "question",
    [
        "what's the weather in Chicago?",
        "it may rain in Lima",
        "Should I take a winter coat to Lima?",
        "How long will the rain last?",
        "Is there sun in Rome?",
        "Will it get above 30 degrees?",
    ],
)
def test_other_words_are_no_times(question: str) -> None:
    found = days_asked(question, TODAY)
    assert (found.named, found.unclear, found.dates) == (False, "", (TODAY,))


@pytest.mark.parametrize(
    "words", ["tomorrow at 5 pm", "tonight", "tomorrow morning", "right now", "at 17:30"]
)
def test_a_time_of_day_is_noticed(words: str) -> None:
    found = days_asked(f"Good evening! Will it rain in Lima {words}?", TODAY)
    assert (found.by_hour, found.unclear) == (True, "")
    assert not days_asked("Good morning! Will it rain in Lima?", TODAY).by_hour


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("in 15 days", ""),
        (
            "in 16 days",
            "I cannot tell the weather of 9 December 2026: my forecast goes as far as 8 December 2026.",
        ),
        (
            "on 2031-05-01",
            "I cannot tell the weather of 1 May 2031: my forecast goes as far as 8 December 2026.",
        ),
        ("the week after next", "I cannot tell the weather of 13 December 2026: "),
        ("14 days ago", ""),
        (
            "15 days ago",
            "I cannot tell the weather of 8 November 2026: I can look back as far as 9 November 2026.",
        ),
        (
            "yesterday and tomorrow",
            "Please ask me about days that have been and days that come one at a time.",
        ),
    ],
)
def test_days_out_of_the_tools_reach_are_refused_in_a_sentence(words: str, reason: str) -> None:
    found = not_to_tell(days_asked(words, TODAY), TODAY)
    assert found.startswith(reason) if reason else found == ""


@given(st.text(max_size=200))
def test_what_is_read_is_marked_in_its_place(question: str) -> None:
    rest = days_asked(f"{question} tomorrow", TODAY).rest
    assert len(rest) == len(question) + 9
    assert rest.endswith(READ * 8)
