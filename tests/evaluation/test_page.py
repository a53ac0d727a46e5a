"""The page: every number is on it, nothing of the user's runs in it, and it needs nothing from outside."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from deepwright.core.report import Report, Sentence
from deepwright.evaluation.page import render
from tests.evaluation import samples

SAMPLES = (samples.binary, samples.many, samples.regression)
VOID = {"meta", "img"}


class _Page(HTMLParser):
    """Tags, attributes and texts; fails on a tag that is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.figures: list[float] = []
        self.words: list[str] = []
        self.feed(html)
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, name, attributes):
        self.tags.append(name)
        self.attributes += attributes
        if name == "data" and dict(attributes).get("value") is not None:
            self.figures.append(float(dict(attributes)["value"]))
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name, f"{name} closed out of order"

    def handle_data(self, words):
        if not self.open or self.open[-1] != "style":
            self.words.append(words)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def _changed(report: Report, **changes) -> Report:
    return Report.model_validate({**report.model_dump(), **changes})


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.__name__)
def test_every_number_stands_on_the_page_in_full_with_its_interval(sample):
    report = sample()
    page = _Page(render(report, next_commands=samples.NEXT))
    for number in report.numbers:
        for figure in (number.value, number.low, number.high):
            assert figure is None or figure in page.figures, f"{number.part} {number.member} {number.metric}: {figure}"


def test_the_check_of_numbers_sees_one_that_is_missing():
    report = samples.regression()
    other = report.numbers[0].model_copy(update={"value": 12345.678})
    page = _Page(render(report, next_commands=[]))
    assert other.value not in page.figures


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.__name__)
def test_verdict_comes_first_then_the_next_command_then_the_evidence(sample):
    html = render(sample(), next_commands=samples.NEXT)
    places = [html.index(f'<section id="{name}">') for name in ("verdict", "next", "numbers", "evidence", "record")]
    assert places == sorted(places)
    text = _Page(html).text
    assert text.index(sample().verdict[0].text) < text.index(samples.NEXT[0]) < text.index("Every metric on")


def test_the_evidence_of_the_bundle_is_open_and_first_and_that_of_the_others_folded():
    report = samples.many()
    summaries = re.findall(r"<details( open)?><summary>([^,<]*),", render(report, next_commands=[]))
    assert summaries[0] == (" open", report.chosen)
    assert {name for is_open, name in summaries[1:] if not is_open} == set(report.members) - {report.chosen}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.__name__)
def test_the_page_is_alone_and_runs_nothing(sample):
    html = render(sample(), next_commands=samples.NEXT)
    page = _Page(html)
    assert not {"script", "link", "img", "iframe", "object", "form", "base"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("style", "src")]
    assert {value[0] for name, value in page.attributes if name == "href" and value} == {"#"}
    assert "url(" not in html and "@import" not in html and "http://" not in html and "https://" not in html


def test_the_policy_allows_this_very_style_and_nothing_else():
    html = render(samples.regression(), next_commands=[])
    (style,) = re.findall("<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" in html
    assert html.index("Content-Security-Policy") < html.index("<style>")


HOSTILE = "<script>alert(1)</script>\"&'"


def test_names_of_the_user_are_shown_as_text_wherever_they_stand():
    report = samples.binary()
    renamed = _changed(
        report,
        target=HOSTILE,
        levels=(HOSTILE, "yes"),
        run=HOSTILE,
        chosen=HOSTILE,
        members=(HOSTILE, *report.members[1:]),
        metric="accuracy",
        numbers=[
            {**n.model_dump(), "member": HOSTILE if n.member == report.chosen else n.member} for n in report.numbers
        ],
        evidence={
            "test": {
                HOSTILE: {
                    **report.evidence["test"][report.chosen],
                    "positive": HOSTILE,
                    "confused": [[HOSTILE, "yes", 2]],
                    "classes": [{**c, "level": HOSTILE} for c in report.evidence["test"][report.chosen]["classes"]],
                }
            }
        },
        data={
            **report.data.model_dump(),
            "source": HOSTILE,
            "set_aside": [{"reason": HOSTILE, "count": 3, "rows": [1]}],
        },
        findings=[
            {
                "rule": HOSTILE,
                "severity": "blocking",
                "where": HOSTILE,
                "sentence": {"key": "test.example", "values": {"name": HOSTILE}},
            }
        ],
        verdict=[{"key": "test.example", "values": {"name": HOSTILE}}],
        exemptions=[{"key": "test.example", "values": {"name": HOSTILE}}],
        looks=[{"number": 1, "when": HOSTILE, "run": HOSTILE, "reason": HOSTILE}],
        environment={HOSTILE: {"a": HOSTILE}},
        seconds={HOSTILE: 1.0},
    )
    html = render(renamed, next_commands=[HOSTILE])
    page = _Page(html)
    assert "<script" not in html and "script" not in page.tags
    assert page.text.count("<script>alert(1)</script>") > 20


def test_a_hostile_name_in_an_attribute_stays_one_attribute():
    report = samples.regression()
    numbers = [n.model_copy(update={"member": 'x" onload="y'}) for n in report.numbers if n.member == report.chosen]
    page = _Page(render(_changed(report, numbers=[n.model_dump() for n in numbers], members=['x" onload="y']),
                        next_commands=[]))  # fmt: skip
    assert ("data-member", 'x" onload="y') in page.attributes
    assert not [name for name, _ in page.attributes if name == "onload"]


def test_a_sealed_test_part_is_stamped_as_sealed():
    assert "the test part is sealed" in _Page(render(samples.many(), next_commands=[])).text


def test_looks_are_stamped_with_their_reasons():
    text = _Page(render(samples.binary(), next_commands=[])).text
    assert "looks known here: 2" in text
    assert "the first run had a wrong unit" in text
    sealed_again = _changed(samples.many(), looks=[look.model_dump() for look in samples.LOOKS])
    assert "sealed in this run; looks known here: 2" in _Page(render(sealed_again, next_commands=[])).text


def test_optimistic_numbers_are_marked_and_the_mark_is_explained():
    report = samples.many()
    page = _Page(render(report, next_commands=[]))
    marks = sum(number.optimistic for number in report.numbers)
    on_board = sum(number.optimistic for number in report.numbers if number.metric == report.metric)
    assert page.words.count("°") == marks + on_board + 2
    assert "optimistic: a choice" in page.text
    sober = _changed(report, numbers=[{**n.model_dump(), "optimistic": False} for n in report.numbers])
    assert "optimistic" not in _Page(render(sober, next_commands=[])).text


def test_rows_in_equal_rows_kept_and_set_aside_and_are_accounted_for():
    text = _Page(render(samples.regression(), next_commands=[])).text
    assert "445 rows in = 442 kept + 3 set aside" in text
    assert "the target is missing 3 17, 230, 231" in text
    assert "training: 265 rows (60%)" in text


def test_findings_stand_by_severity_and_exemptions_are_printed():
    text = _Page(render(samples.regression(), next_commands=[])).text
    assert text.index("id is unique per row") < text.index("two columns look alike")
    assert "rule max_set_aside, because three rows are known to be broken" in text


def test_the_record_holds_recipe_bundle_data_and_environment():
    report = samples.regression()
    text = _Page(render(report, next_commands=[])).text
    for entry in (report.recipe_hash, report.bundle_digest, report.data.source_sha256, "versions.torch 2.13.0"):
        assert entry in text
    for digest in report.data.fingerprints.values():
        assert digest in text


def test_an_undefined_number_is_shown_as_a_dash():
    report = samples.binary()
    assert any(number.value is None for number in report.numbers)
    page = _Page(render(report, next_commands=[]))
    assert "None" not in page.text and "nan" not in page.text.lower().split()
    assert "–" in page.words


def test_the_page_speaks_chinese_when_asked_to(monkeypatch):
    monkeypatch.setenv("DEEPWRIGHT_LANG", "zh")
    report = _changed(samples.regression(), target="疾病进展", members=["网络", *samples.regression().members[1:]])
    html = render(report, next_commands=[])
    text = _Page(html).text
    assert '<html lang="zh-Hans">' in html
    assert "预测 疾病进展" in text and "测试部分仍密封" in text and "依据" in text
    assert not re.search(r"\b(validation|training|Numbers|Evidence|interval)\b", text)


def test_a_report_without_history_evidence_or_verdict_is_still_a_page():
    bare = _changed(samples.many(), history=[], evidence={}, verdict=[], findings=[], exemptions=[], numbers=[])
    text = _Page(render(bare, next_commands=[])).text
    assert "There is no verdict in this report." in text
    assert "Training" not in text and "Nothing was found" in text


def test_a_metric_of_the_users_own_is_called_by_its_name():
    report = samples.regression()
    numbers = [{**n.model_dump(), "metric": "my_cost" if n.metric == "mae" else n.metric} for n in report.numbers]
    assert "my_cost" in _Page(render(_changed(report, numbers=numbers), next_commands=[])).text


def test_the_sentences_of_the_verdict_are_kept_as_keys_so_that_they_can_be_read_in_both_languages(monkeypatch):
    sentence = Sentence.model_validate(samples.regression().verdict[-1].model_dump())
    english = sentence.text
    monkeypatch.setenv("DEEPWRIGHT_LANG", "zh")
    assert sentence.text != english
