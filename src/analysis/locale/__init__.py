"""What readers see, in their language: texts, figures, dates, the values of the data, names for fictional people.

What cards, maps and worksheets say, and what the values and columns of the data are called, stands in `en.toml` and
`fa.toml` under the same keys: whoever shows such a thing asks for a language once (`locale.of("fa")`) and has it say
all, so that one report can hold both. The sentences of chapters and figures stand in the code and the notebooks, in
English; `fa/*.po` translates them for :func:`analysis.phrases.phrase`.
"""

from analysis.locale.language import Locale, column_name, day, named, of, retold
from analysis.locale.months import first_day, month_name, month_of, year_of
from analysis.locale.names import first_name, in_letters
from analysis.phrases import LANGUAGES

__all__ = [
    "LANGUAGES",
    "Locale",
    "column_name",
    "day",
    "first_day",
    "first_name",
    "in_letters",
    "month_name",
    "month_of",
    "named",
    "of",
    "retold",
    "year_of",
]
