"""Two readers of JUnit find in each report what its JSON says, in numbers.

Takes a folder of NUMBER.xml and NUMBER.json.
"""

import json
import pathlib
import sys
import xml.etree.ElementTree

import junitparser

ENDS = ("failure", "error", "skipped")


def expected(report):
    """The counts of each cloud: passed, failures, errors, skipped."""
    baseline = report["baseline"]
    unexpected = {(it["target"], it["case"]) for it in (baseline or {}).get("differences", [])}
    others = [it["target"] for it in report["leftovers"]] + [it[0] for it in unexpected]
    counts = {visible(name): (0, others.count(name), 0, 0) for name in others}
    for column, target in enumerate(it["name"] for it in report["targets"]):
        passed = failures = errors = skipped = 0
        for queue in report["queues"]:
            for row in queue["attributes"]:
                failures += row["cells"][column]["live"]["state"] == "differs"
        failures += sum(it["target"] == target for it in report["leftovers"])
        failures += sum(it[0] == target for it in unexpected)
        for row in report["rows"]:
            cell = row["cells"][column]
            queue = row["queue"]
            case = row["behaviour"] if queue is None else f"{queue}: {row['behaviour']}"
            if cell is None or (target, case) in unexpected:
                continue
            outcome = cell["outcome"]
            passed += outcome == "passed"
            if baseline is None:
                failures += outcome == "failed"
                errors += outcome == "error"
                skipped += outcome == "skipped"
            else:
                skipped += outcome != "passed"
        counts[visible(target)] = (passed, failures, errors + not_whole(report), skipped)
    return counts


def not_whole(report):
    """A run that was cut short, or executed nothing, is an error of each cloud."""
    totals = report["totals"]
    executed = totals["passed"] + totals["failed"] + totals["errors"]
    return int(report["interrupted"] or executed == 0)


def visible(text):
    """What XML 1.0 cannot hold, written out."""

    def legal(code):
        return (
            code in (0x9, 0xA, 0xD)
            or 0x20 <= code <= 0xD7FF
            or 0xE000 <= code <= 0xFFFD
            or code >= 0x10000
        )

    return "".join(it if legal(ord(it)) else f"\\u{{{ord(it):x}}}" for it in text)


def of_expat(path):
    counts = {}
    root = xml.etree.ElementTree.parse(path).getroot()
    assert root.tag == "testsuites", root.tag
    for suite in root.findall("testsuite"):
        ends = [[case.find(end) is not None for end in ENDS] for case in suite.findall("testcase")]
        failures, errors, skipped = (sum(end) for end in zip(*ends)) if ends else (0, 0, 0)
        passed = sum(not any(end) for end in ends)
        said = tuple(int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped"))
        assert said == (len(ends), failures, errors, skipped), (path, said)
        counts[suite.get("name")] = (passed, failures, errors, skipped)
    return counts


def of_junitparser(path):
    counts = {}
    for suite in junitparser.JUnitXml.fromfile(str(path)):
        cases = list(suite)
        kinds = [type(case.result[0]) if case.result else None for case in cases]
        assert all(case.time is not None and case.time >= 0 for case in cases)
        counts[suite.name] = (
            sum(case.is_passed for case in cases),
            kinds.count(junitparser.Failure),
            kinds.count(junitparser.Error),
            sum(case.is_skipped for case in cases),
        )
        said = (suite.tests, suite.failures, suite.errors, suite.skipped)
        assert said == (len(cases), *counts[suite.name][1:]), (path, said)
    return counts


folder = pathlib.Path(sys.argv[1])
reports = sorted(folder.glob("*.xml"))
for path in reports:
    report = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    wanted = expected(report)
    for reader in (of_expat, of_junitparser):
        found = reader(path)
        assert found == wanted, f"{reader.__name__}, {path.name}: {found} instead of {wanted}"
    if report["baseline"] is None:
        totals = report["totals"]
        sums = [sum(counts) for counts in zip(*of_expat(path).values())] or [0, 0, 0, 0]
        assert sums[0] == totals["passed"], (path, sums, totals)
        of_runs = len(report["targets"]) * not_whole(report)
        assert sums[2] == totals["errors"] + of_runs, (path, sums, totals)
        assert sums[3] == totals["skipped"], (path, sums, totals)
print(f"expat and junitparser {junitparser.version} read {len(reports)} reports alike")
