"""JUnit XML, which every CI system shows: a failed case for each finding."""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from collections.abc import Sequence

from semafuzz.reports.formats.report import Report
from semafuzz.reports.run_view.printable import clean
from semafuzz.reports.run_view.sentence import sentence


def junit_xml(report: Report) -> str:
    """The file; one passed case where nothing was found, since an empty suite is taken for
    a mistake. Warnings and notes are skipped cases: they fail no build."""
    findings, name = report.findings, report.title
    failed = [told for told in findings if told[1] == "error"]
    suite = Xml.Element("testsuite", name=clean(name), tests=str(max(1, len(findings))))
    suite.set("failures", str(len(failed)))
    suite.set("errors", "0")
    suite.set("skipped", str(len(findings) - len(failed)))
    if not findings:
        Xml.SubElement(suite, "testcase", classname="semafuzz", name="search")
    for picture, severity in findings:
        case = Xml.SubElement(suite, "testcase", classname=clean(f"semafuzz.{picture.target}.{picture.kind}"))
        case.set("name", clean(f"{picture.signature} {sentence(picture)}")[:300])
        properties = Xml.SubElement(case, "properties")
        for key, value in (("signature", picture.signature), ("severity", severity), *_commands(picture.commands)):
            Xml.SubElement(properties, "property", name=key, value=clean(value))
        kind = Xml.SubElement(case, "failure" if severity == "error" else "skipped", message=clean(sentence(picture)))
        kind.text = "\n".join(
            clean(line) for line in (*picture.story, *picture.shared, *picture.places, *picture.commands)
        )
    root = Xml.Element("testsuites")
    root.append(suite)
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _commands(commands: Sequence[str]) -> list[tuple[str, str]]:
    return [("replay", commands[0])] if commands else []
