"""What is a persona called in each language?

Takes `profiles` and named segments. Gives the names by rule in the other languages; what people called a group stays.
"""

import pandas as pd

from analysis.segments.naming import names_by_rule


def called(known, language):
    """What personas are called in a language.

    Parameters
    ----------
    known : Personas, or :class:`analysis.personas.drift.Known`
        With the table `personas`; the names in other languages are known of the personas of today only.
    language : {"en", "fa"}

    Returns
    -------
    Series of str, by the number of the persona

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> personas = pd.DataFrame({"persona": [1], "title": ["Readers"]})
    >>> called(SimpleNamespace(personas=personas, about={"titles": {"fa": {1: "Khanandegan"}}}), "fa").tolist()
    ['Khanandegan']
    """
    found = known.personas.set_index("persona")["title"]
    names = getattr(known, "about", {}).get("titles", {}).get(language, {})
    return pd.Series([names.get(persona, title) for persona, title in found.items()], found.index, dtype="str")


def titles(profiles, segments):
    """The titles of the personas beside the English ones.

    Parameters
    ----------
    profiles : DataFrame, one row per customer
    segments : DataFrame, one row per customer
        With `customer_id`, `segment` and perhaps `segment_name` and `fit`.

    Returns
    -------
    dict of str to dict of int to str
        Language → segment → name by rule, of those segments that bear their English name by rule: what a person called
        a group is that in every language.

    Raises
    ------
    Problem
        A column is missing, or a customer has two rows.

    Examples
    --------
    >>> import pandas as pd
    >>> profiles = pd.DataFrame({"customer_id": range(20), "n_orders": [1] * 10 + [8, 9] * 5})
    >>> segments = pd.DataFrame({"customer_id": range(20), "segment": [1] * 10 + [2] * 10})
    >>> segments["segment_name"] = ["Readers"] * 10 + ["Frequent buyers"] * 10
    >>> titles(profiles, segments) == {"fa": {2: "خریداران پرتکرار"}}
    True
    """
    if "segment_name" not in segments:
        return {}
    given, names = segments.groupby("segment")["segment_name"].first(), names_by_rule(profiles, segments)
    by_rule = [int(s) for s in given.index if given[s] == names["en"][s]]
    return {language: {s: of[s] for s in by_rule} for language, of in names.items() if language != "en"}
