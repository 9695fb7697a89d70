"""ELAN annotation file `.eaf` (ELAN Annotation Format 3.0, Max Planck Institute for Psycholinguistics)."""

import mimetypes
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as Tree

from emer.report.tiers import NOT_XML, Tier, tiers
from emer.types import Explanation

SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"


def render(explanation: Explanation, *, beside: Path) -> bytes:
    """The document as UTF-8 XML; `beside` is where it will lie (for the relative link to the clip)."""
    found = tiers(explanation)
    root = Tree.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": f"emer {explanation.provenance.emer}",
            "DATE": datetime.now(UTC).isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": SCHEMA,
        },
    )
    _header(root, explanation, beside, sum(len(tier.marks) for tier in found))
    slots = _time_order(root, found)
    _tiers(root, found, slots)
    Tree.SubElement(
        root, "LINGUISTIC_TYPE", LINGUISTIC_TYPE_ID="default-lt", TIME_ALIGNABLE="true", GRAPHIC_REFERENCES="false"
    )
    Tree.indent(root)
    document: bytes = Tree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return document + b"\n"


def _header(root: Tree.Element, explanation: Explanation, beside: Path, annotations: int) -> None:
    clip = Path(NOT_XML.sub("\ufffd", explanation.clip.path)).absolute()
    header = Tree.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    link = {"MEDIA_URL": clip.as_uri(), "MIME_TYPE": mimetypes.guess_type(clip.name)[0] or "application/octet-stream"}
    if clip.parent == beside.absolute().parent:
        link["RELATIVE_MEDIA_URL"] = f"./{clip.name}"
    Tree.SubElement(header, "MEDIA_DESCRIPTOR", link)
    count = Tree.SubElement(header, "PROPERTY", NAME="lastUsedAnnotationId")
    count.text = str(annotations)


def _time_order(root: Tree.Element, found: tuple[Tier, ...]) -> dict[float, str]:
    """One time slot per moment that any mark uses (whole milliseconds), in order."""
    order = Tree.SubElement(root, "TIME_ORDER")
    moments = sorted({time for tier in found for mark in tier.marks for time in (mark.start, mark.end)})
    slots = {moment: f"ts{i}" for i, moment in enumerate(moments, 1)}
    for moment, slot in slots.items():
        Tree.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(round(moment * 1000)))
    return slots


def _tiers(root: Tree.Element, found: tuple[Tier, ...], slots: dict[float, str]) -> None:
    number = 0
    for tier in found:
        element = Tree.SubElement(root, "TIER", LINGUISTIC_TYPE_REF="default-lt", TIER_ID=tier.name)
        for mark in tier.marks:
            number += 1
            annotation = Tree.SubElement(
                Tree.SubElement(element, "ANNOTATION"),
                "ALIGNABLE_ANNOTATION",
                ANNOTATION_ID=f"a{number}",
                TIME_SLOT_REF1=slots[mark.start],
                TIME_SLOT_REF2=slots[mark.end],
            )
            Tree.SubElement(annotation, "ANNOTATION_VALUE").text = mark.text
