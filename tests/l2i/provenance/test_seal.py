"""l2i.provenance.seal: one hash over all results and records of a run."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.records import write_record, write_result
from l2i.checks import InputError
from l2i.provenance.records import record_path
from l2i.provenance.runs import Run
from l2i.provenance.seal import (
    SHORT,
    check_seal,
    entries_of,
    loose_ends,
    merkle_root,
    n_bytes,
    read_leaves,
    require_root,
    seal_text,
    write_seal,
)

TIME = "2025-01-31T12:00:00+00:00"
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
trees = st.dictionaries(st.text(min_size=1, max_size=8), digests, min_size=1, max_size=12)


# ------------------------------------------------------------------ the root


def by_levels(leaves):
    """The root as RFC 9162 computes it leaf by leaf: subtrees of equal size are joined at once."""
    stack = []
    for name, content in sorted((n.encode(), c) for n, c in leaves.items()):
        stack.append((1, hashlib.sha256(b"\0" + bytes.fromhex(content) + name).digest()))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            (size, right), (_, left) = stack.pop(), stack.pop()
            stack.append((2 * size, hashlib.sha256(b"\1" + left + right).digest()))
    while len(stack) > 1:
        (_, right), (size, left) = stack.pop(), stack.pop()
        stack.append((size, hashlib.sha256(b"\1" + left + right).digest()))
    return stack[0][1].hex()


@given(trees)
def test_the_root_is_that_of_another_algorithm(leaves):
    assert merkle_root(leaves) == by_levels(leaves)


def test_the_root_of_one_leaf_is_known():
    said = hashlib.sha256(b"\0" + bytes(32) + b"tables/a.csv").hexdigest()
    assert merkle_root({"tables/a.csv": "0" * 64}) == said


@given(trees, st.randoms())
def test_the_order_of_leaves_has_no_part_in_it(leaves, random):
    shuffled = random.sample(sorted(leaves.items()), len(leaves))
    assert merkle_root(dict(shuffled)) == merkle_root(leaves)


@given(trees, digests, st.data())
def test_any_change_of_one_leaf_changes_it(leaves, other, data):
    root = merkle_root(leaves)
    name = data.draw(st.sampled_from(sorted(leaves)))
    rest = {each: leaves[each] for each in leaves if each != name}
    changed = [leaves | {name: other}] if other != leaves[name] else []
    changed += [rest | {f"{name}x": leaves[name]}, leaves | {f"{name}/": other}]
    changed += [rest] if rest else []
    assert root not in {merkle_root(each) for each in changed}


@given(trees, st.data())
def test_contents_that_change_places_change_it(leaves, data):
    one, two = (data.draw(st.sampled_from(sorted(leaves))) for _ in range(2))
    swapped = leaves | {one: leaves[two], two: leaves[one]}
    assert (merkle_root(swapped) == merkle_root(leaves)) == (swapped == leaves)


def test_a_node_does_not_pass_for_a_leaf():
    """What stands for two leaves, given out as the content and name of one."""
    leaves = {"a": "1" * 64, "b": "2" * 64}
    left, right = (hashlib.sha256(b"\0" + bytes.fromhex(c) + n.encode()) for n, c in leaves.items())
    forged = hashlib.sha256(left.digest() + right.digest()).hexdigest()
    inner = hashlib.sha256(b"\0" + left.digest() + right.digest()).hexdigest()
    assert merkle_root(leaves) not in {forged, inner}
    assert merkle_root(leaves) == hashlib.sha256(b"\1" + left.digest() + right.digest()).hexdigest()


@pytest.mark.parametrize("leaves", [{}, {"a": "00"}, {"a": "x" * 64}])
def test_what_is_no_tree_of_hashes_has_no_root(leaves):
    with pytest.raises(ValueError):
        merkle_root(leaves)


# ------------------------------------------------------------------ runs


@pytest.fixture
def run(tmp_path):
    """Two tables, a folder of sounds, a network, an acceptance, notes, and what is no leaf."""
    folder = tmp_path / "results/toy"
    for name in ("tables", "systems", "listening/sounds", ".run/code", "logs"):
        (folder / name).mkdir(parents=True)
    write_result(folder / "tables/one.csv", "one")
    write_result(folder / "tables/two.csv", "two")
    write_result(folder / "systems/model.safetensors", "weights")
    (folder / "listening/sounds/a.wav").write_text("a")
    write_folder(folder / "listening/sounds")
    (folder / "tables/.records/one.csv.accepted.json").write_text("{}")
    (folder / ".run/configuration.json").write_text("{}")
    (folder / ".run/code/abc.json").write_text("{}")
    for name in (".run/asked.json", "logs/one.log", "tables/.lock-one", "tables/stray.csv"):
        (folder / name).write_text("no leaf")
    return folder


def write_folder(path):
    write_record(path, {})
    record = json.loads(record_path(path).read_text())
    tree = "".join(
        f"{file.name}\n{hashlib.sha256(file.read_bytes()).hexdigest()}\n"
        for file in sorted(path.iterdir())
    )
    record["output"] |= {"kind": "folder", "sha256": hashlib.sha256(tree.encode()).hexdigest()}
    record_path(path).write_text(json.dumps(record))


LEAVES = {
    *(".run/code/abc.json", ".run/configuration.json", "listening/.records/sounds.json"),
    *("listening/sounds/", "systems/.records/model.safetensors.json", "systems/model.safetensors"),
    *("tables/.records/one.csv.accepted.json", "tables/.records/one.csv.json", "tables/one.csv"),
    *("tables/.records/two.csv.json", "tables/two.csv"),
}


def leaves_of(folder):
    return read_leaves(entries_of(Run(folder)))


def sealed(folder, **options):
    """Seal a run, and return its root."""
    leaves = leaves_of(folder)
    write_seal(Run(folder), seal_text(leaves, sealed_at=TIME, git=None), **options)
    return merkle_root(leaves.content)


def findings(folder, root, **options):
    """What a check finds: name -> what."""
    found = check_seal(Run(folder), leaves_of(folder), root, **options).findings
    return {each.path: each.what for each in found}


def test_leaves_are_results_records_acceptances_and_notes(run):
    leaves = leaves_of(run)
    assert set(leaves.content) == LEAVES and not leaves.wrong and not leaves.removed
    assert leaves.content["tables/one.csv"] == hashlib.sha256(b"one").hexdigest()


def test_every_byte_is_read_and_told(run):
    told = []
    read_leaves(entries_of(Run(run)), told.append)
    assert sum(told) == n_bytes(entries_of(Run(run)))
    assert sum(told) == sum(
        path.stat().st_size
        for name in LEAVES
        for path in ([run / name] if (run / name).is_file() else (run / name).iterdir())
    )


def test_neither_place_nor_times_nor_modes_have_a_part_in_it(run, tmp_path):
    root = sealed(run)
    shutil.copytree(run, tmp_path / "elsewhere", copy_function=shutil.copyfile)
    (tmp_path / "elsewhere/tables/one.csv").chmod(0o600)
    assert not findings(tmp_path / "elsewhere", root)
    assert not findings(tmp_path / "elsewhere", root[:SHORT].upper())


def test_what_is_no_leaf_may_change(run):
    root = sealed(run)
    (run / ".run/asked.json").write_text("again")
    (run / "logs/one.log").write_text("again")
    (run / "tables/.lock-one").unlink()
    assert not findings(run, root)


def forge(folder):
    """A result and its record, each of which agrees with the other."""
    write_result(folder / "tables/one.csv", "better")


def swap(folder):
    for pair in (("one.csv", "two.csv"), (".records/one.csv.json", ".records/two.csv.json")):
        one, two = (folder / "tables" / name for name in pair)
        texts = one.read_text(), two.read_text()
        two.write_text(texts[0].replace("one.csv", "two.csv"))
        one.write_text(texts[1].replace("two.csv", "one.csv"))


def add(folder):
    write_result(folder / "tables/three.csv", "three")


def remove(folder):
    (folder / "tables/two.csv").unlink()
    (folder / "tables/.records/two.csv.json").unlink()


def lose(folder):
    (folder / "tables/two.csv").unlink()


def as_file(folder):
    """A file that holds what the hash of a folder is over."""
    (file,) = (folder / "listening/sounds").iterdir()
    text = f"{file.name}\n{hashlib.sha256(file.read_bytes()).hexdigest()}\n"
    shutil.rmtree(folder / "listening/sounds")
    write_result(folder / "listening/sounds", text)


CHANGES = [
    (forge, {"tables/one.csv", "tables/.records/one.csv.json"}),
    (swap, {f"tables/{n}" for n in ("one.csv", "two.csv")}
     | {f"tables/.records/{n}.csv.json" for n in ("one", "two")}),
    (add, {"tables/three.csv", "tables/.records/three.csv.json"}),
    (remove, {"tables/two.csv", "tables/.records/two.csv.json"}),
    (lose, {"tables/two.csv"}),
    (as_file, {"listening/sounds", "listening/sounds/", "listening/.records/sounds.json"}),
    *(
        (lambda folder, name=name: (folder / name).write_text("{ }"), {name})
        for name in (".run/code/abc.json", ".run/configuration.json")
        + ("tables/.records/one.csv.accepted.json", "tables/one.csv")
    ),
    (lambda folder: (folder / "listening/sounds/b.wav").write_text("b"), {"listening/sounds/"}),
    (lambda folder: (folder / ".run/code/d.json").write_text("{}"), {".run/code/d.json"}),
]  # fmt: skip


@pytest.mark.parametrize(("change", "names"), CHANGES)
def test_a_change_is_found_and_named(run, change, names):
    root = sealed(run)
    change(run)
    assert set(findings(run, root)) == names
    assert set(findings(run, root[:SHORT])) == names
    assert set(findings(run, None)) == names


@pytest.mark.parametrize(("change", "names"), CHANGES)
def test_without_the_leaves_of_the_seal_a_change_is_found_but_not_named(run, change, names):
    root = sealed(run)
    change(run)
    (run / ".run/seal.json").unlink()
    assert set(findings(run, root)) == {"the run"}


def test_who_seals_anew_what_was_changed_is_found_by_the_root_that_was_printed(run):
    root = sealed(run)
    forge(run)
    assert sealed(run) != root
    assert set(findings(run, root)) == {"the run"} and not findings(run, None)


def test_leaves_that_do_not_make_the_root_name_nothing(run):
    root = sealed(run)
    path = run / ".run/seal.json"
    noted = json.loads(path.read_text())
    noted["leaves"]["tables/one.csv"] = "0" * 64
    path.write_text(json.dumps(noted))
    assert not findings(run, root)  # the run is as it was sealed
    forge(run)
    assert set(findings(run, root)) == {"the run"}
    with pytest.raises(InputError, match=r"seal\.json is missing or damaged"):
        findings(run, None)


def test_an_array_that_was_removed_to_make_room_counts_by_its_record_and_is_told(run):
    root = sealed(run)
    (run / "systems/model.safetensors").unlink()
    checked = check_seal(Run(run), leaves_of(run), root)
    assert not checked.findings and checked.removed == ["systems/model.safetensors"]


@pytest.mark.parametrize("change", [lose, lambda f: (f / "tables/one.csv").write_text("x")])
def test_what_is_not_as_its_record_says_is_not_sealed(run, change):
    change(run)
    leaves = leaves_of(run)
    assert len(leaves.wrong) == 1
    with pytest.raises(ValueError, match="cannot be sealed"):
        seal_text(leaves, sealed_at=TIME, git=None)


def test_a_record_of_another_result_vouches_for_nothing(run):
    shutil.copy(run / "tables/one.csv", run / "tables/two.csv")
    shutil.copy(run / "tables/.records/one.csv.json", run / "tables/.records/two.csv.json")
    assert set(leaves_of(run).wrong) == {"tables/two.csv"}


def test_what_cannot_be_read_is_named(run):
    entries = entries_of(Run(run))
    (run / "tables/one.csv").unlink()
    for read in (n_bytes, read_leaves):
        with pytest.raises(InputError, match=r"one\.csv cannot be read"):
            read(entries)


@pytest.mark.parametrize("text", ["", "abc", "0" * 15, "0" * 65, "g" * 16])
def test_a_root_is_long_enough_and_hexadecimal(text):
    with pytest.raises(InputError, match="is no seal"):
        require_root(text)


# ------------------------------------------------------------------ whether a run is finished


def test_a_finished_run_has_no_loose_ends(run):
    (run / "tables/.lock-one").unlink()
    used = [("model", run / "systems/model.safetensors")]
    write_record(run / "tables/one.csv", {}, used)
    record = json.loads(record_path(run / "tables/one.csv").read_text())
    record["rule"] = "tabulate"
    record_path(run / "tables/one.csv").write_text(json.dumps(record))
    for name in ("tables/two.csv", "listening/sounds"):
        path = record_path(run / name)
        path.write_text(path.read_text().replace('"any"', '"other"'))
    assert loose_ends(Run(run)) == []
    (run / "tables/.lock-one").touch()
    assert loose_ends(Run(run)) == ["tables/.lock-one, of a job that is at work or has failed"]


def test_a_run_that_was_ended_has_some(run):
    shutil.rmtree(run / "tables")
    said = loose_ends(Run(run))
    assert "there is no table" in said
    path = record_path(run / "listening/sounds")
    path.write_text(path.read_text().replace('"any"', '"other"'))
    assert "systems/model.safetensors, of which nothing was made" in loose_ends(Run(run))


# ------------------------------------------------------------------ signatures


@pytest.fixture
def key(tmp_path):
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(tmp_path / "key")]
    subprocess.run(make, check=True)
    return tmp_path / "key"


def allowed(key, names="anna@example.org"):
    path = key.with_name("allowed")
    path.write_text(f"{names} {key.with_suffix('.pub').read_text()}")
    return path


def test_a_seal_that_was_signed_names_who_did_it(run, key):
    root = sealed(run, key=key)
    for said in (root, None):
        signers = allowed(key, "anna@example.org,a@b")
        checked = check_seal(Run(run), leaves_of(run), said, allowed_signers=signers)
        assert checked.signed_by == ("anna@example.org", "a@b") and not checked.findings


def test_a_seal_of_the_same_stays_with_its_signature(run, key):
    root = sealed(run, key=key)
    before = (run / ".run/seal.json").read_bytes()
    write_seal(Run(run), seal_text(leaves_of(run), sealed_at=TIME[:-1] + "1", git=None))
    assert (run / ".run/seal.json").read_bytes() == before
    assert not findings(run, root, allowed_signers=allowed(key))


def test_a_new_seal_drops_the_signature_of_the_old(run, key):
    sealed(run, key=key)
    forge(run)
    root = sealed(run)
    assert not (run / ".run/seal.json.sig").exists()
    assert set(findings(run, root, allowed_signers=allowed(key))) == {".run/seal.json.sig"}


def test_who_signs_a_changed_run_with_another_key_is_found(run, key, tmp_path):
    sealed(run, key=key)
    signers = allowed(key)
    forge(run)
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    sealed(run, key=other)
    assert set(findings(run, None, allowed_signers=signers)) == {".run/seal.json.sig"}


def test_an_edited_seal_does_not_bear_its_signature(run, key):
    sealed(run, key=key)
    path = run / ".run/seal.json"
    path.write_text(path.read_text().replace("2025", "2024"))
    assert set(findings(run, None, allowed_signers=allowed(key))) == {".run/seal.json.sig"}


def test_a_signature_of_another_seal_does_not_count(run, key):
    sealed(run, key=key)
    found = findings(run, "0" * 64, allowed_signers=allowed(key))
    assert found[".run/seal.json.sig"] == "is the signature of another seal"


def test_a_signature_for_another_purpose_does_not_count(run, key):
    root = sealed(run)
    content = (run / ".run/seal.json").read_bytes()
    done = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", "git"],
        input=content,
        capture_output=True,
        check=True,
    )
    (run / ".run/seal.json.sig").write_bytes(done.stdout)
    assert set(findings(run, root, allowed_signers=allowed(key))) == {".run/seal.json.sig"}
