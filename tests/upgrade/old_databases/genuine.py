"""Which entries of the genuine old databases may a stranger see? Read off each file by hand, entry by entry.

A word in `meta.visibility` counts; without one the kind's default (of the kinds that occur here without a
word, all are public). Left out are: deleted entries, `hobbies` (its endpoint was switched off), custom kinds
with is_public 0 (`gratitude_log`; in v0.1-minimal `projects` too), and the entry that belongs to nobody.
"""

from __future__ import annotations

PublicOf = dict[tuple[int, str], frozenset[int]]  # by (user id, kind)


def _ids(**kinds: tuple[int, ...]) -> dict[str, frozenset[int]]:
    return {kind: frozenset(ids) for kind, ids in kinds.items()}


V_0_1_0 = {
    1: _ids(
        about=(2,),
        ideas=(3, 6, 12, 13),
        skills=(14, 17),
        favorite_books=(19, 22),
        problems=(23, 26),
        looking_for=(34, 37),
        resume=(40, 43),
        recipes=(44,),
    ),
    2: _ids(
        about=(39,),
        ideas=(4, 7, 10),
        skills=(15, 18, 53, 54, 55),
        favorite_books=(20,),
        problems=(24, 27),
        looking_for=(35, 38),
        resume=(41, 52),
        gear_list=(50, 51),
    ),
    3: _ids(
        ideas=(5, 8, 11),
        skills=(16,),
        favorite_books=(21,),
        problems=(25, 28),
        looking_for=(36,),
        resume=(42,),
        recipes=(46,),
    ),
}
V_0_1_MINIMAL = {
    1: _ids(
        about=(2,),
        ideas=(3, 6, 9, 12, 13),
        skills=(14, 17),
        favorite_books=(19, 22),
        problems=(23, 26),
        looking_for=(34, 37),
        resume=(40, 43),
        recipes=(44,),
    ),
    2: _ids(
        about=(39,),
        ideas=(4, 10),
        skills=(15, 18, 55, 56, 57),
        favorite_books=(20,),
        problems=(24, 27),
        looking_for=(35, 38),
        resume=(41, 54),
        gear_list=(52, 53),
    ),
    3: _ids(
        ideas=(5, 8),
        skills=(16,),
        favorite_books=(21,),
        problems=(25,),
        looking_for=(36,),
        resume=(42,),
    ),
}
V_0_2_2 = {
    1: _ids(
        ideas=(1, 6),
        about=(2,),
        skills=(13, 16),
        favorite_books=(18, 21),
        looking_for=(28,),
        contact_info=(33,),
        learning=(35,),
        funding_sources=(43,),
        frames=(45,),
        resume=(48, 51),
        recipes=(52,),
    ),
    2: _ids(
        ideas=(4, 7, 10),
        skills=(14, 17),
        favorite_books=(19,),
        looking_for=(29,),
        goals=(34,),
        skills_matrix=(38,),
        recommendations=(40,),
        threats=(42,),
        claims=(46,),
        resume=(49, 57),
        gear_list=(55, 56),
        quotes=(58, 59, 60),
    ),
    3: _ids(ideas=(8, 11), problems=(24,), quotes=(32,), people=(44,), resume=(50,)),
}
V_0_3_0 = {
    1: _ids(
        ideas=(1, 3, 12),
        about=(2,),
        skills=(13, 16),
        favorite_books=(18, 21),
        looking_for=(28,),
        events=(36,),
        people=(44,),
        resume=(48, 51),
        recipes=(52,),
    ),
    2: _ids(
        ideas=(10,),
        skills=(14, 17),
        favorite_books=(19,),
        looking_for=(29,),
        projects=(30,),
        skills_matrix=(38,),
        recommendations=(40,),
        resume=(49, 57),
        gear_list=(55, 56),
        quotes=(58, 59, 60),
    ),
    3: _ids(ideas=(11,), problems=(24,), quotes=(32,), goals=(34,), resume=(50,)),
}

# Which of the four each file was made from; the scripts changed no entry.
MADE_FROM = {
    "v0.1-minimal": V_0_1_MINIMAL,
    "v0.1.0": V_0_1_0,
    "v0.2-script": V_0_1_MINIMAL,
    "v0.2-script-empty-folder": {},
    "v0.2-script-failed-on-v0.1.0": V_0_1_0,
    "v0.2.2": V_0_2_2,
    "v0.3-script": V_0_2_2,
    "v0.3-script-baseline-0.1.0-genuine": V_0_1_0,
    "v0.3-script-baseline-0.1.0-minimal": V_0_1_MINIMAL,
    "v0.3-script-baseline-0.2.2": V_0_2_2,
    "v0.3-script-from-v0.1-minimal": V_0_1_MINIMAL,
    "v0.3-script-from-v0.1.0": V_0_1_0,
    "v0.3-script-from-v0.2-script": V_0_1_MINIMAL,
    "v0.3-script-rollback-failed": V_0_1_0,
    "v0.3-script-tracker-first": V_0_2_2,
    "v0.3.0": V_0_3_0,
}


def public_of(stem: str) -> PublicOf:
    """Return what a stranger may see of the file of that name, by (user id, kind)."""
    return {(user, kind): ids for user, kinds in MADE_FROM[stem].items() for kind, ids in kinds.items()}
