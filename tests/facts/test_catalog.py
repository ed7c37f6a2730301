"""What the loader gives, and what it refuses in a sentence, on changed copies of the catalog."""

import dataclasses
import random
import re
import shutil
import tomllib

import pytest

from planner.errors import CatalogError
from planner.facts.catalog import catalog_folder, catalog_of, load_catalog, shipped_files

FILES = {path.name: path.read_text(encoding="utf-8") for path in catalog_folder().glob("*.toml")}
LINE = re.compile(r"^([\w.\-]+) = (\{ value = .*\})$", re.MULTILINE)
CITED = [name for name, text in FILES.items() if LINE.search(text)]


@pytest.fixture
def folder(tmp_path):
    """A copy of the catalog's TOML files that a test may spoil."""
    for name in FILES:
        shutil.copy(catalog_folder() / name, tmp_path)
    return tmp_path


def spoil(folder, name, old, new):
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    return load_catalog(folder)


def refusal(folder, name, old, new):
    with pytest.raises(CatalogError) as refused:
        spoil(folder, name, old, new)
    return str(refused.value)


def test_a_copy_of_the_folder_is_the_same_catalog(folder):
    assert load_catalog(folder) == load_catalog()


def test_the_shipped_catalog_is_read_once():
    assert load_catalog() is load_catalog()


def test_the_version_follows_the_files_and_nothing_else(folder):
    before = load_catalog(folder)
    after = spoil(folder, "catalog.toml", "# The day", "# the day")
    assert before.version == load_catalog().version != after.version
    assert re.fullmatch("[0-9a-f]{12}", after.version)
    assert before.date == "2026-11-23"


def test_numbers_are_found_by_dotted_path():
    catalog = load_catalog()
    assert catalog.number("sites.us.usd_per_kwh").unit == "USD/kWh"
    assert catalog.number("prices.llama-3.3-70b.output_usd_per_mtok").value == 0.555
    assert catalog.number("software.kv_transfer.h100_visible_s").value == 0.005
    with pytest.raises(
        CatalogError, match=r"^The catalog holds no number sites\.moon\.usd_per_kwh"
    ):
        catalog.number("sites.moon.usd_per_kwh")


def test_tables_keep_their_shape_beside_the_numbers(folder):
    (folder / "extra.toml").write_text(
        """
        flag = true
        names = ["a", "b"]
        [[rows]]
        name = "first"
        power_w = { value = 2, low = 1, high = 3, unit = "kW", kind = "quote", source = "polca" }
        """
    )
    catalog = load_catalog(folder)
    extra = catalog.tables["extra"]
    assert (extra["flag"], extra["names"]) == (True, ["a", "b"])
    assert extra["rows"][0]["power_w"] == catalog.number("extra.rows.0.power_w")
    assert catalog.number("extra.rows.0.power_w").value == 2000.0


def test_a_catalog_is_overlaid_without_touching_the_shipped_one():
    catalog = load_catalog()
    mine = dataclasses.replace(catalog.accelerators["h100-sxm"], id="mine", name="Mine")
    overlay = dataclasses.replace(catalog, accelerators={**catalog.accelerators, "mine": mine})
    assert overlay.accelerators["mine"].name == "Mine"
    assert "mine" not in load_catalog().accelerators


IDLE = "idle_frac_of_tdp = { value = 0.2, low = 0.1036, high = 0.2, "


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (IDLE, "idle_frac_of_tdp = 0.2 # ", "idle_frac_of_tdp: 0.2 is an uncited number; write {"),
        (IDLE, IDLE.replace("0.1036", "0.3"), "low 0.3, value 0.2, high 0.2 are out of order; al"),
        (IDLE, IDLE.replace("0.1036", "-0.1"), "-0.1 is negative; only a quantity whose name"),
        (IDLE, IDLE.replace("0.1036", "nan"), "idle_frac_of_tdp.low: nan is not finite"),
        (IDLE, IDLE.replace("value", "valu"), "idle_frac_of_tdp: unknown key 'valu'; allowed are"),
        (IDLE, IDLE.replace("low = 0.1036, ", ""), "'low' is missing; a quantity needs all of"),
        ('unit = "frac"', 'unit = "fraction"', "unit 'fraction' is unknown; allowed are 1, 1/s"),
        ('source = "polca"', 'source = "hearsay"', "source 'hearsay' is not in sources.toml; add"),
        ('kind = "measured"', 'kind = "gossip"', "kind 'gossip' is unknown; allowed are measured"),
        (IDLE, 'idle_frac_of_tdp = 2026-01-01 # ', "2026, 1, 1) is not a cited number; write {"),
        (IDLE, "spare = [1, 2]\n" + IDLE, "spare, 0: 1 is an uncited number"),
        (IDLE, 'sources = ["hearsay"]\n' + IDLE, "source 'hearsay' is not in sources.toml"),
        (IDLE, 'sources = "polca"\n' + IDLE, "'polca' is not a list of source ids"),
    ],
)  # fmt: skip
def test_a_spoilt_number_is_refused(folder, old, new, sentence):
    said = refusal(folder, "power.toml", old, new)
    assert said.startswith("power.toml, ")
    assert sentence in said
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("name", "old", "new", "sentence"),
    [
        (
            "sources.toml",
            "\nretrieved = true",
            "\nretrieved = 1",
            "retrieved: 1 is not true or false",
        ),
        ("sources.toml", 'title = "', 'titel = "', "title: is missing; it is needed here"),
        ("sources.toml", 'kind = "vendor"', 'kind = "blog"', "kind: 'blog' is unknown; allowed"),
        ("sources.toml", 'url = "https://github.com/stas', 'x = "', "x: unknown key; allowed are"),
        ("accelerators.toml", 'access = "rent"', 'access = "free"', "'free' is unknown; allowed a"),
        ("accelerators.toml", "memory_bytes =", "memory_byte =", "memory_byte: unknown key; allow"),
        ("accelerators.toml", '"TB/s"', '"TFLOP/s"', "is in FLOP/s; allowed are units that conv"),
        ("accelerators.toml", "value = 400, low = 400", "value = 400, low = 0", "not above zero"),
        ("models.toml", "hidden = 8192", "hidden = 8192.5", "hidden: 8192.5 is not a whole number"),
        ("catalog.toml", "date", "day", "catalog.toml, catalog, date: is missing"),
        ("prices.toml", '"USD/Mtok"', '"USD/Mtok', "prices.toml cannot be read as TOML in UTF-8:"),
    ],
)
def test_a_spoilt_entry_is_refused(folder, name, old, new, sentence):
    said = refusal(folder, name, old, new)
    assert said.startswith(name)
    assert sentence in said


def test_a_document_without_an_address_is_refused(folder):
    url = re.search(r'\nurl = "[^"]*"', FILES["sources.toml"]).group()
    assert "url: is missing; only a judgement has none." in refusal(folder, "sources.toml", url, "")


@pytest.mark.parametrize("name", ["catalog", "sources", "accelerators", "models"])
def test_a_file_that_is_needed_is_missed(folder, name):
    (folder / f"{name}.toml").unlink()
    with pytest.raises(CatalogError, match=f"^{name}.toml is missing from the catalog folder"):
        load_catalog(folder)


def test_a_file_that_is_no_text_is_refused(folder):
    (folder / "sites.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CatalogError, match=r"^sites\.toml cannot be read as TOML in UTF-8"):
        load_catalog(folder)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(CatalogError, match=r"catalog\.toml is missing"):
        load_catalog(tmp_path / "nowhere")


def dropped(key):
    return lambda table: {k: v for k, v in table.items() if k != key}


SPOILS = {
    "no value": dropped("value"),
    "no unit": dropped("unit"),
    "no kind": dropped("kind"),
    "no source": dropped("source"),
    "half a range": lambda t: dropped("high")(t) | {"kind": "quote"},
    "low above value": lambda t: t | {"low": t["value"] + 1, "high": t["value"] + 2},
    "value above high": lambda t: t | {"high": t["value"] - 1, "low": t["value"] - 2},
    "not a number": lambda t: t | {"value": float("nan")},
    "endless": lambda t: t | {"high": float("inf"), "low": t["value"]},
    "text for a number": lambda t: t | {"value": str(t["value"])},
    "strange unit": lambda t: t | {"unit": t["unit"] + "x"},
    "strange source": lambda t: t | {"source": t["source"] + "-2"},
    "strange kind": lambda t: t | {"kind": "true"},
    "one key more": lambda t: t | {"mean": t["value"]},
    "bare": lambda t: t["value"],
}


def seeds(few):
    """A few every day, five hundred in the sweep."""
    more = (pytest.param(seed, marks=pytest.mark.sweep) for seed in range(few, 500))
    return [*range(few), *more]


def toml(item):
    if isinstance(item, dict):
        return "{ " + ", ".join(f"{key} = {toml(value)}" for key, value in item.items()) + " }"
    return f'"{item}"' if isinstance(item, str) else repr(item)


@pytest.mark.parametrize("seed", seeds(30))
def test_f5_no_mutation_of_a_number_passes_in_silence(folder, seed):
    """F5: file and field are named, whichever number is spoilt, and however."""
    draw = random.Random(seed)
    name = draw.choice(CITED)
    line = draw.choice(list(LINE.finditer(FILES[name])))
    spoilt = SPOILS[list(SPOILS)[seed % len(SPOILS)]](tomllib.loads(f"q = {line[2]}")["q"])
    spoilt_line = f"{line[1]} = {toml(spoilt).replace(chr(10), ' ')}"
    text = FILES[name]
    (folder / name).write_text(text[: line.start()] + spoilt_line + text[line.end() :], "utf-8")
    with pytest.raises(CatalogError) as refused:
        load_catalog(folder)
    assert str(refused.value).startswith(f"{name}, ")
    assert line[1] in str(refused.value)


@pytest.mark.parametrize("seed", range(15))
def test_f5_a_number_that_is_removed_is_missing_and_not_a_default(folder, seed):
    draw = random.Random(seed)
    name = draw.choice([file for file in CITED if file not in ("accelerators.toml", "models.toml")])
    line = draw.choice(list(LINE.finditer(FILES[name])))
    text = FILES[name]
    (folder / name).write_text(text[: line.start()] + text[line.end() :], "utf-8")
    gone = set(load_catalog().numbers) - set(load_catalog(folder).numbers)
    assert len(gone) == 1
    assert gone.pop().endswith(line[1])


@pytest.mark.parametrize("seed", seeds(15))
def test_f5_a_flipped_character_is_refused_in_words_or_seen(folder, seed):
    """Whatever a typo does, it never raises anything but a sentence, and never goes unseen."""
    draw = random.Random(1000 + seed)
    name = draw.choice(list(FILES))
    at = draw.randrange(len(FILES[name]))
    changed = FILES[name][:at] + chr(draw.randrange(32, 127)) + FILES[name][at + 1 :]
    (folder / name).write_text(changed, encoding="utf-8")
    try:
        version = load_catalog(folder).version
    except CatalogError as error:
        version, said = "", str(error)
    if version:
        assert (version == load_catalog().version) == (changed == FILES[name])
    else:
        assert name in said or "sources.toml" in said


def test_tables_laid_over_merge_by_key_and_replace_a_quantity_whole():
    cited = {"value": 650, "low": 650, "high": 650, "unit": "W", "kind": "quote", "source": "mine"}
    mine = {"title": "An offer", "retrieved": True, "kind": "judgement"}
    over = {"accelerators": {"h100-sxm": {"tdp_w": cited}}, "sources": {"mine": mine}}
    held, shipped = catalog_of(shipped_files(), over), load_catalog()
    chip, before = held.accelerators["h100-sxm"], shipped.accelerators["h100-sxm"]
    assert (chip.tdp_w.value, chip.tdp_w.source, chip.tdp_w.note) == (650, "mine", "")
    assert dataclasses.replace(chip, tdp_w=before.tdp_w) == before
    assert catalog_of(shipped_files()).version == shipped.version != held.version


def test_a_table_laid_over_cites_a_source_or_is_refused():
    uncited = {"value": 650, "low": 650, "high": 650, "unit": "W", "kind": "quote", "source": "?"}
    with pytest.raises(CatalogError, match="h100-sxm, tdp_w: source '\\?' is not in sources"):
        catalog_of(shipped_files(), {"accelerators": {"h100-sxm": {"tdp_w": uncited}}})
