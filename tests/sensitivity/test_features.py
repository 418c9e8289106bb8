"""Behaviour is binned, described in words, and nobody's body or belief is looked at."""

import pytest

from pos_discount.refused import refused_reason
from pos_discount.sensitivity import FEATURE_RULES, Behaviour, CellTree, bin_behaviour
from pos_discount.sensitivity.features import FeatureRule


@pytest.mark.parametrize(
    "name",
    [
        "age", "AGE", "customerAge", "customer_age", "age-group", "birthYear", "date_of_birth", "dob", "возраст",
        "sex", "Gender", "sexe", "geschlecht", "пол", "marital_status",
        "origin", "countryOfOrigin", "ethnicity", "race", "nationality", "nationalité", "skin_colour",
        "religion", "belief", "political_party", "health", "disability", "is_pregnant", "BMI",
        "yearsOld", "yob", "género", "country_of_residence", "croyance", "diabetes", "wheelchair",
        "home", "city", "street", "customer_city", "street_name", "street2",
        "address", "home_address", "postcode", "post_code", "ZIP", "zip-code", "PLZ",
        "name", "first_name", "lastName", "surname", "email",
    ],
)  # fmt: skip
def test_a_name_that_denotes_a_personal_trait_is_refused(name: str) -> None:
    assert refused_reason(name)


@pytest.mark.parametrize(
    "name",
    ["package", "average", "club", "club_name", "asked", "stage", "storage", "home_delivery", "city_card",
     "street_food", "message", "language", "usage", "essex", "brace",
     "birthday", "promo_share_90d", "visits_90d", "tier", "embrace_points", "addressable", "zipper", ""],
)  # fmt: skip
def test_a_name_that_only_contains_such_letters_is_not(name: str) -> None:
    assert refused_reason(name) is None


@pytest.mark.parametrize("rule", FEATURE_RULES, ids=[rule.name for rule in FEATURE_RULES])
def test_no_feature_has_a_refused_name(rule) -> None:
    assert refused_reason(rule.name) is None


def test_a_feature_with_a_refused_name_can_not_be_trained_on_or_served() -> None:
    with pytest.raises(ValueError, match="'customer_age' denotes age"):
        FeatureRule("customer_age", (18.0, 65.0), "is at least {}", "is younger than {}")
    assert FeatureRule("stage_visits", (1.0,), "at least {}", "fewer than {}").name == "stage_visits"


@pytest.mark.parametrize(
    ("share", "expected"), [(None, 0), (0.0, 1), (0.099, 1), (0.1, 2), (0.399, 3), (0.4, 4), (1.0, 6)]
)
def test_a_bin_starts_at_its_edge(share: float | None, expected: int) -> None:
    assert bin_behaviour(Behaviour(promo_share_90d=share))[0] == expected


@pytest.mark.parametrize("rule", FEATURE_RULES, ids=[rule.name for rule in FEATURE_RULES])
def test_features_are_binned_by_their_own_rule(rule) -> None:
    index = [each.name for each in FEATURE_RULES].index(rule.name)
    bins = bin_behaviour(Behaviour(**{rule.name: rule.edges[-1]}))
    assert bins[index] == len(rule.edges) + 1
    assert sum(bins) == bins[index]


def test_a_leaf_reads_as_a_sentence() -> None:
    tree = CellTree((1, -1, 0, -1, -1), (1, 0, 3, 0, 0), (1, 0, 3, 0, 0), (2, 0, 4, 0, 0), (0, 0, 0, 1, 2))
    assert tree.rules() == (
        "does not ask for a discount",
        "less than 40 % of what they buy is on promotion (or that is unknown), and asks for a discount",
        "at least 40 % of what they buy is on promotion, and asks for a discount",
    )
    assert tree.cell_of(bin_behaviour(Behaviour(asked=True, promo_share_90d=0.5))) == 2
    assert tree.cell_of(bin_behaviour(Behaviour(asked=True))) == 1
    assert tree.cell_of(bin_behaviour(Behaviour(asked=False, promo_share_90d=0.5))) == 0
