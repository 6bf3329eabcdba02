"""What is asked of a funnel: its steps in order, what an event must be to count as one, and how long each may take."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from numbers import Real
from operator import and_

import narwhals as nw
import pandas as pd

from analysis.errors import Problem, did_you_mean
from analysis.journeys.moments import MICROSECONDS_PER_DAY
from analysis.segments.conditions import Ground, row_test

#: Days of the longest window: longer ones could end later than whole microseconds can tell.
_LONGEST = 1e7

#: A step: the name of an event, or conditions on columns of the events, as rules of segments state them.
Step = str | Mapping[str, object]


@dataclass(frozen=True)
class Course:
    """The way that a funnel follows.

    Attributes
    ----------
    steps : tuple of str
        Names of the steps.
    asked : tuple of str or Mapping
        By step, the event or the conditions.
    optional : frozenset of int
        Places of the steps that may be left out.
    window, step_window : int or None
        Microseconds from the first step, and from one step to the next.
    ordered : bool
        Whether steps count only in their order.
    """

    steps: tuple[str, ...]
    asked: tuple[Step, ...]
    optional: frozenset[int]
    window: int | None
    step_window: int | None
    ordered: bool

    def after(self, place: int) -> int:
        """The step that must follow."""
        return next(i for i in range(place + 1, len(self.steps)) if i not in self.optional)

    def since(self, place: int) -> int:
        """The step from whose time on a step is looked for."""
        return max(i for i in range(place) if i not in self.optional) if self.ordered else 0

    def test(self, place: int, events: nw.LazyFrame) -> nw.Expr:
        """Which events are this step."""
        asked = self.asked[place]
        if isinstance(asked, str):
            return nw.col("event") == asked
        ground = Ground(pd.DataFrame(), {}, None, frozenset())
        where = f'step "{self.steps[place]}"'
        tests = (row_test("the table of events", events, c, what, ground, where) for c, what in asked.items())
        return reduce(and_, tests)


def course(
    steps: Sequence[Step],
    window_days: float | None = None,
    step_days: float | None = None,
    ordered: bool = True,
    optional: Sequence[str] = (),
) -> Course:
    """The way, checked.

    Raises
    ------
    Problem
        If the steps are not two or more different ones, the first or last is optional, or a window is not positive.
    """
    if isinstance(steps, str) or not isinstance(steps, Iterable) or len(steps := list(steps)) < 2:
        raise Problem(f"A funnel needs at least two steps, in order; it was given {steps!r}.")
    if isinstance(optional, str) or not isinstance(optional, Iterable):
        raise Problem(f'optional is a list of steps, such as ["search"]; it was given {optional!r}.')
    names = [_name(step) for step in steps]
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise Problem(f'"{twice[0]}" is in the funnel twice. Name each step once: {", ".join(names)}.')
    if not ordered and (step_days is not None or len(optional)):
        raise Problem(
            "In an open funnel (ordered=False) steps follow in any order, so none can be optional, and there is no "
            "time from one to the next. Give window_days, the time from the first step."
        )
    return Course(
        tuple(names),
        tuple(_asked(step) for step in steps),
        frozenset(_place(name, names) for name in optional),
        _microseconds(window_days, "window_days"),
        _microseconds(step_days, "step_days"),
        ordered,
    )


def _name(step: Step) -> str:
    if isinstance(step, str):
        return step
    if not isinstance(step, Mapping) or not set(step) - {"step"}:
        raise Problem(
            'A step is the name of an event, or a dict of conditions, e.g. {"event": "checkout", "channel": "app"}; '
            f"it was given {step!r}."
        )
    return str(step.get("step") or ", ".join(str(what) for what in step.values()))


def _asked(step: Step) -> Step:
    return step if isinstance(step, str) else {column: what for column, what in step.items() if column != "step"}


def _place(name: str, names: list[str]) -> int:
    if name not in names:
        raise Problem(f'The optional step "{name}" is not among the steps.{did_you_mean(name, names)}')
    if name in (names[0], names[-1]):
        raise Problem(f'"{name}" begins or ends the funnel, so it cannot be optional. Take it out of optional.')
    return names.index(name)


def _microseconds(days: float | None, name: str) -> int | None:
    if days is None:
        return None
    if not isinstance(days, Real) or not days > 0:
        raise Problem(
            f"{name} is {days!r}: the window must be a number of days, longer than 0 days; leave it out for no window."
        )
    return round(min(days, _LONGEST) * MICROSECONDS_PER_DAY)
