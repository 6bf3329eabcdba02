"""What readers see, in their language: texts, figures, dates, the values of the data, names for fictional people.

Everything that a card or a chapter says stands in `en.toml` and `fa.toml`, under the same keys. Whoever shows something
asks for a language once (`locale.of("fa")`) and has it say all.
"""

from analysis.locale.language import LANGUAGES, Locale, of
from analysis.locale.names import first_name, in_letters

__all__ = ["LANGUAGES", "Locale", "first_name", "in_letters", "of"]
