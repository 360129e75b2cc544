"""A mission in one language, from related rows that are prefetched."""

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from missions import rules
from missions.models import Mission, MissionText, Step, StepText

Text = TypeVar("Text", MissionText, StepText)


class Shown(NamedTuple):
    """What an answer shows of a mission."""

    mission: Mission
    text: MissionText
    steps: list[Step]
    titles: list[str]


def show(mission: Mission, language: str) -> Shown:
    """Takes everything from the prefetched cache, once."""
    steps = list(mission.steps.all())
    titles = [in_language(step.texts.all(), language).title for step in steps]
    return Shown(mission, in_language(mission.texts.all(), language), steps, titles)


def in_language(texts: Iterable[Text], language: str) -> Text:
    """The text in the language or its primary part, or else the first."""
    loaded = list(texts)
    for choice in rules.language_choices(language):
        found = [text for text in loaded if text.language == choice]
        if found:
            return found[0]
    return loaded[0]
