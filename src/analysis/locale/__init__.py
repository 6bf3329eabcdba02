"""What readers see, in their language: texts, figures, dates, the values of the data, names for fictional people.

What cards, maps and worksheets say, and what the values and columns of the data are called, stands in `en.toml` and
`fa.toml` under the same keys: whoever shows such a thing asks for a language once (`locale.of("fa")`) and has it say
all, so that one report can hold both. The sentences of chapters and figures stand in the code and the notebooks, in
English; `fa/*.po` translates them for :func:`analysis.phrases.phrase`.
"""

from analysis.locale.language import Locale, day, named, of
from analysis.locale.names import first_name, in_letters
from analysis.phrases import LANGUAGES

__all__ = ["LANGUAGES", "Locale", "day", "first_name", "in_letters", "named", "of"]
