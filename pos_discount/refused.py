"""Names that no feature and no attribute may have: nobody's body or belief.

One list for the policy reader, the API and training. Whole words count, in several spellings and languages, so that
`package` passes where `age` does not; hides how names are split into words.
"""

import re
import unicodedata


def refused_reason(name: str) -> str | None:
    """Say which personal trait a feature's or attribute's name denotes, or None where the name may be used.

    Words are found however they are joined: `customerAge`, `age-group` and `AGE` are refused, `average` is not.

    >>> refused_reason("customerAge"), refused_reason("package")
    ('age', None)
    """
    words = _words_of(name)
    joined = {"".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, min(len(words), i + 3) + 1)}
    for trait, spellings in REFUSED_WORDS:
        if not joined.isdisjoint(spellings.split()):
            return trait
    if words and words[-1] in PLACES.split():
        return "address"
    return "name or contact" if "".join(words) in PERSONAL_NAMES.split() else None


REFUSED_WORDS: tuple[tuple[str, str], ...] = (
    (
        "age",
        "age ages aged agegroup ageband agerange birthyear yearofbirth birthdate dateofbirth dob yob yearsold born "
        "bornon bornin generation senior seniors elderly teenager adult retired pensioner alter geburtsjahr "
        "geburtsdatum edad возраст годрождения датарождения пенсионер",
    ),
    (
        "sex",
        "sex sexe sexo gender genders male female man woman men women transgender nonbinary pronoun pronouns "
        "sexuality sexual orientation lgbt lgbtq gay lesbian geschlecht salutation honorific mr mrs maritalstatus "
        "marital married genero пол гендер",
    ),
    (
        "origin",
        "origin origins ethnic ethnicity ethnos race racial races nationality nationalities citizenship citizen "
        "immigrant immigration migrant migration birthplace placeofbirth countryofbirth mothertongue nativelanguage "
        "skincolor skincolour skintone caste tribe ancestry descent herkunft nationalitat ethnie nationalite origine "
        "origen nacionalidad национальность происхождение гражданство раса",
    ),
    (
        "belief",
        "belief beliefs religion religions religious faith creed church mosque christian muslim jewish hindu buddhist "
        "atheist politics political politicalparty ideology philosophy tradeunion unionmember konfession glaube "
        "religionszugehorigkeit croyance religione религия вера вероисповедание",
    ),
    (
        "health",
        "health healthy disability disabilities disabled handicap handicapped illness disease diagnosis diagnoses "
        "medical medication prescription allergy allergies pregnant pregnancy maternity bmi bodyweight height "
        "biometric biometrics genetic genetics dna mental blood bloodtype diabetes diabetic wheelchair "
        "gesundheit krankheit behinderung sante salud здоровье болезнь инвалидность инвалид беременность",
    ),
    (
        "address",
        "address addresses postcode postcodes postalcode postal zip zipcode plz streetname homeaddress hometown "
        "cityname residence neighbourhood neighborhood district latitude longitude lat lon lng gps geolocation adresse "
        "direccion codepostal postleitzahl адрес индекс улица",
    ),
    (
        "name",
        "surname lastname firstname forename givenname familyname fullname maidenname middlename customername "
        "personname nachname vorname фамилия имя отчество passport passportnumber ssn socialsecurity",
    ),
)
"""Traits that may not be looked at, with the words that denote them, accents and joints removed."""

PLACES = "home city street"
"""Words that tell where somebody lives only at a name's end: `customer_city` does, `city_card` does not."""

PERSONAL_NAMES = "name names nom nombre prenom email mail emailaddress phone phonenumber telephone mobile"
"""Names that are refused as a whole only: `club_name` is not the customer's own."""


def _words_of(name: str) -> list[str]:
    spread = re.sub(r"([a-zа-яё0-9])([A-ZА-ЯЁ])", r"\1 \2", name)
    spread = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", spread)
    plain = "".join(mark for mark in unicodedata.normalize("NFKD", spread) if not unicodedata.combining(mark))
    return re.findall(r"[^\W\d_]+", plain.casefold())
