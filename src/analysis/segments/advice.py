"""What follows from a policy: which rule to use, and what each way to choose earns, in sentences with their figures."""

import pandas as pd

from analysis.evidence import percent, short
from analysis.segments.schemes import MASS, NUMBER, ONE_TO_ONE, SEGMENTATION


def verdict(profits: pd.DataFrame, gains: pd.DataFrame) -> tuple[str, str]:
    """The rule to use, and why: a segmentation if one earns clearly more than doing without, else what asks for less.

    Parameters
    ----------
    profits, gains : DataFrame, as :class:`analysis.segments.Policy` has them

    Returns
    -------
    use, why : str
    """
    clear = set(gains.loc[gains["clear"] & (gains["gain"] > 0), ["rule", "over"]].itertuples(index=False, name=None))
    number, without = best_number(profits), "mass marketing"
    groups = profits[profits["kind"] == SEGMENTATION].sort_values("profit", ascending=False, kind="stable")["rule"]
    richer = [rule for rule in [*groups, ONE_TO_ONE] if (rule, MASS) in clear]
    best = next((rule for rule in richer if not number or (rule, number) in clear), None)
    none = "No segmentation" if len(groups) else "Nothing else"
    than = f"both {without} and {number}" if number else without
    if best == ONE_TO_ONE:
        return best, f"{none} earns clearly more than {than}; a model of each customer does."
    if best:
        more = "; a model of each customer earns clearly more still" if (ONE_TO_ONE, best) in clear else ""
        return best, f"“{best}” serves this decision: it earns clearly more than {than}{more}."
    if (number, MASS) in clear:
        return number, f"{none} earns clearly more than {number}, which clearly beats {without}: go by {number}."
    if richer:
        return richer[0], f"“{richer[0]}” earns clearly more than {without}, though not clearly more than {number}."
    share = profits.loc[profits["rule"] == MASS, "share"].item()
    do = {0.0: "contact nobody", 1.0: "contact everybody"}.get(share, f"any {percent(share)} of the customers will do")
    return MASS, f"No rule earns clearly more than {without}: {do}."


def best_number(profits: pd.DataFrame) -> str:
    """The single number that earned the most; empty if there is none."""
    numbers = profits[profits["kind"] == NUMBER]
    return "" if numbers.empty else numbers.loc[numbers["profit"].idxmax(), "rule"]


def policy_in_words(policy, currency: str = "") -> list[str]:
    """What each way to choose earns, in sentences with their figures: the verdict first, what profit means last.

    Parameters
    ----------
    policy : analysis.segments.Policy
    currency : str
        Written behind sums of money.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from analysis.segments import policy
    >>> city = ["Yazd", "Qom"] * 100
    >>> table = pd.DataFrame({"customer_id": range(200), "city": city, "outcome": [c == "Yazd" for c in city]})
    >>> found = policy(table, schemes={"by city": "city"}, cost=2, margin=10)
    >>> for sentence in policy_in_words(found, "rial"): print(sentence)
    “by city” serves this decision: it earns clearly more than mass marketing.
    Judged on 200 customers, by rules learnt from others: mass marketing to 100 % of them earns 600 rial (interval ...).
    “by city” contacts 50 % and earns 800 rial (interval ...): 200 rial (interval ...) more than mass marketing.
    One to one contacts 50 % and earns 800 rial (interval ...): 200 rial (interval ...) more than mass marketing; the \
same as “by city”.
    Profit counts all that contacted customers did later as earned by the contact (a contact costs 2 rial, one of the \
outcome is worth 10 rial): it says whom to serve first, not that a contact pays. That only a control group can tell.
    """
    others = policy.profits[policy.profits["kind"] != MASS]
    told = [_of_a_rule(policy, row, currency) for row in others.to_dict("records")]
    kept = _promised(policy, currency)
    return [policy.verdict, _of_mass(policy, currency), *told, *kept, _what_profit_is(policy, currency), *policy.doubts]


def _of_mass(policy, currency: str) -> str:
    mass = policy.profits.set_index("rule").loc[MASS]
    how = "at a later time" if policy.later else "by rules learnt from others"
    judged = f"Judged on {policy.customers:,} customers, {how}: "
    if mass["share"] == 0:
        return f"{judged}mass marketing would contact nobody, as contacts did not pay on average before."
    return f"{judged}mass marketing to {percent(mass['share'])} of them earns {_interval(mass, 'profit', currency)}."


def _of_a_rule(policy, row: dict, currency: str) -> str:
    """What a rule earns, and how far it is ahead of mass marketing, the better number, and the best segmentation."""
    groups = policy.profits[policy.profits["kind"] == SEGMENTATION].nlargest(1, "profit")["rule"]
    rivals = [MASS, best_number(policy.profits), *groups]
    against = policy.gains[(policy.gains["rule"] == row["rule"]) & policy.gains["over"].isin(rivals)]
    kinds = policy.profits.set_index("rule")["kind"]
    ahead = [_ahead(gain, _named(gain["over"], kinds[gain["over"]]), currency) for gain in against.to_dict("records")]
    earns = f"contacts {percent(row['share'])} and earns {_interval(row, 'profit', currency)}"
    return f"{_at_the_start(_named(row['rule'], row['kind']))} {earns}: {'; '.join(ahead)}."


def _ahead(gain: dict, over: str, currency: str) -> str:
    if gain["low"] == gain["high"] == 0:
        return f"the same as {over}"
    if not gain["clear"]:
        between = f"{short(gain['low'])} to {short(gain['high'])}"
        return f"not clearly more or less than {over} ({_sum(gain['gain'], currency)}, interval {between})"
    if gain["gain"] > 0:
        return f"{_interval(gain, 'gain', currency)} more than {over}"
    less = {"gain": -gain["gain"], "low": -gain["high"], "high": -gain["low"]}
    return f"{_interval(less, 'gain', currency)} less than {over}"


def _promised(policy, currency: str) -> list[str]:
    """What rules earned less than they had led to expect: they were learnt too closely, or times have changed."""
    broken = policy.profits.query("promised > high and share > 0")
    if broken.empty:
        return []
    told = [
        f"{_named(row.rule, row.kind)} {_sum(row.promised, currency)} and earned {short(row.profit)}"
        for row in broken.itertuples()
    ]
    times = " Mass marketing is among them, so that times were worse for all." if MASS in set(broken["rule"]) else ""
    return [f"Less than they led to expect: {'; '.join(told)}.{times}"]


def _what_profit_is(policy, currency: str) -> str:
    worth = _sum(policy.margin, currency) if policy.margin >= 1 else percent(policy.margin)
    terms = f"a contact costs {_sum(policy.cost, currency)}, one of the outcome is worth {worth}"
    if policy.caused:
        return f"Profit is what the contact changed: customers contacted against customers held out ({terms})."
    return (
        f"Profit counts all that contacted customers did later as earned by the contact ({terms}): it says whom to "
        "serve first, not that a contact pays. That only a control group can tell."
    )


def _named(rule: str, kind: str) -> str:
    return f"“{rule}”" if kind == SEGMENTATION else rule


def _at_the_start(text: str) -> str:
    return text if text.startswith("“") else text[:1].upper() + text[1:]


def _sum(amount: float, currency: str) -> str:
    return f"{short(amount)} {currency}".strip()


def _interval(row, figure: str, currency: str) -> str:
    return f"{_sum(row[figure], currency)} (interval {short(row['low'])} to {short(row['high'])})"
