"""A folder is read from disk as it is from memory, and its version is its content's."""

from __future__ import annotations

from pathlib import Path

import pytest

from pos_discount.policy import Policy, PolicyProblems, load_folder, load_policy, read_policy, version_of

from .reading import HOUSE, promotion

SHIPPED = Path(__file__).parents[2] / "policies"
FILES = {
    "house.yaml": HOUSE.encode() + b"catalogue: tables/products.csv\n",
    "spring.yaml": promotion("{price_list: week.csv}").encode(),
    "spring.examples.yaml": b"- {name: E, basket: [{sku: A, price: 1}], expect: {p: no}}\n",
    "tables/products.csv": b"sku\nA\n",
    "week.csv": b"sku,price\nA,1\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_the_shipped_policies_load() -> None:
    policy = load_policy(SHIPPED)
    assert {example_id for e in policy.examples for example_id in e.saving_by_promotion} == {
        p.id for p in policy.promotions
    }


def test_a_folder_is_read_as_its_files_are_from_memory(folder: Path) -> None:
    loaded = load_folder(folder)
    assert dict(loaded.files) == FILES
    again = read_policy(loaded.files, str(folder))
    assert again == loaded.policy


def test_places_name_the_folder(folder: Path) -> None:
    assert load_policy(folder).promotions[0].place.file == f"{folder}/spring.yaml"


def test_what_lies_about_in_a_folder_is_not_read(folder: Path) -> None:
    version = load_policy(folder).version
    (folder / ".hidden.yaml").write_text("]")
    (folder / "notes.txt").write_text("]")
    (folder / "unused.csv").write_bytes(b"\xff")
    (folder / "folder.yaml").mkdir()
    (folder / "spring.yaml~").write_text("]")
    assert load_policy(folder).version == version


@pytest.mark.parametrize("name", ["autumn.yml", "AUTUMN.YAML"])
def test_a_file_of_a_folder_with_another_ending_is_not_skipped_in_silence(folder: Path, name: str) -> None:
    (folder / name).write_text("promotions: []")
    with pytest.raises(PolicyProblems, match=r"expected the ending \.yaml"):
        load_policy(folder)


def test_problems_of_a_folder_are_raised_together_and_name_it(folder: Path) -> None:
    (folder / "spring.yaml").write_text(promotion("{percent: ten}", "cap: abc"))
    with pytest.raises(PolicyProblems) as raised:
        load_policy(folder)
    assert [str(problem.place) for problem in raised.value.problems] == [
        f"{folder}/spring.yaml:4:24",
        f"{folder}/spring.yaml:5:10",
    ]
    assert str(raised.value).count("\n") == 1


@pytest.mark.parametrize("name", ["absent", "house.yaml"], ids=["absent", "a file"])
def test_what_is_no_folder_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(PolicyProblems, match="expected a folder of YAML files"):
        load_policy(folder / name)


def test_a_version_does_not_depend_on_the_order_of_files() -> None:
    forwards, backwards = read_policy(FILES), read_policy(dict(reversed(FILES.items())))
    assert isinstance(forwards, Policy)
    assert forwards == backwards


@pytest.mark.parametrize("name", FILES)
def test_a_version_changes_with_any_byte_of_any_file(name: str) -> None:
    original = read_policy(FILES)
    changed = read_policy(FILES | {name: FILES[name] + b"\n"})
    assert isinstance(original, Policy)
    assert isinstance(changed, Policy)
    assert changed.version != original.version


def test_a_version_changes_with_a_files_name_and_with_where_a_file_ends() -> None:
    versions = {
        version_of(files)
        for files in (
            {"a": b"bc"},
            {"ab": b"c"},
            {"a": b"b", "c": b""},
            {"a": b"", "b": b"c"},
            {"a": b"", "bc": b""},
            {},
        )
    }
    assert len(versions) == 6


def test_a_version_can_be_told_apart_and_typed() -> None:
    policy = read_policy(FILES)
    assert isinstance(policy, Policy)
    assert policy.version.startswith("pol_")
    assert len(policy.version) == 24
