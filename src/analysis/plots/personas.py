"""Figures of personas: whom each card fits best."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.evidence import percent
from analysis.phrases import figure, phrase
from analysis.plots.canvas import canvas, elided, finish, heat, listing, nothing_to_show, room


def persona_fit(overlap: pd.DataFrame, source: str | None = None) -> Axes:
    """Whom does each persona's card describe best: its own customers, or those of another?

    Parameters
    ----------
    overlap : DataFrame, personas by personas, as from :func:`analysis.personas.compare`
        Share of the customers of the one in the row whom the card of the one in the column fits best.
    source : where the figures come from, for the last line

    Examples
    --------
    >>> both = pd.DataFrame([[0.9, 0.1], [0.3, 0.7]], index=["Readers", "Parents"], columns=["Readers", "Parents"])
    >>> print(persona_fit(both).get_title())
    Most often mistaken: 30 % of Parents are better described by the card of Readers
    """
    if len(overlap) < 2:
        return nothing_to_show(phrase("there is one persona, and no other to mistake it for"))
    shares, names = overlap.to_numpy(dtype=float), [str(name) for name in overlap.columns]
    axes = canvas(height=1.6 + 0.36 * max(len(names), 2))
    size = 9 if len(names) < 15 else 7
    heat(axes, shares, lambda share: percent(share).rstrip(" %٪") if share else "", size, top=1)
    places = np.arange(len(names)) + 0.5
    numbers = [figure(str(i)) for i in range(1, len(names) + 1)]
    # marks of direction: the number stands beside its row, whichever way the name is written
    labels = [f"\u200e\u2068{elided(name, room(0.36))}\u2069  {i}" for i, name in zip(numbers, names, strict=True)]
    axes.set(xticks=places, xticklabels=numbers, yticks=places, yticklabels=labels)
    axes.xaxis.tick_top()
    axes.invert_yaxis()
    axes.set_xlabel(
        phrase("per cent of the customers at the left whom the card of the persona of this number fits best")
    )
    others = np.where(np.eye(len(names), dtype=bool), 0, np.nan_to_num(shares))
    here, there = np.unravel_index(others.argmax(), others.shape)
    title = phrase("No card describes another's customers better than their own does")
    if others.any():
        title = phrase(
            "Most often mistaken: {share} of {mine} are better described by the card of {other}",
            share=percent(others[here, there]),
            mine=elided(names[here], 36),
            other=elided(names[there], 36),
        )
    own = listing((name, percent(share)) for name, share in zip(names, np.diag(shares), strict=True))
    return finish(axes, title, phrase("Shares whom their own card fits best: {shares}", shares=own), "", source)
