"""Texts for property-based tests, and the words of texts."""

from hypothesis import strategies as st

text_with_structure = st.lists(
    st.sampled_from(
        [
            "word",
            "a longer piece of text ",
            "\n",
            "\n\n",
            "```",
            "```py\n",
            "~~~~\n",
            "| a | b |\n",
            "🌦é",
            "- item\n",
        ]
    )
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30),
    max_size=200,
).map("".join)


def words(texts: list[str]) -> list[str]:
    """The words of several messages, in order."""
    return " ".join(texts).split()
