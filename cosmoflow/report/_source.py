"""Sections on where a run comes from: its configuration, what it was made with, and whom to cite."""

import json

from ._citations import bibliography, relied_on
from ._html import Html, element, facts, joined
from ._subject import Subject


def configuration(subject: Subject) -> Html:
    """The configuration, every default spelled out."""
    text = subject.chain.attributes.get("configuration")
    return element("pre", text) if text else element("p", "The chain holds no configuration.")


def provenance(subject: Subject) -> Html:
    """Dates, versions, machine, commit, digests."""
    attributes, origin = subject.chain.attributes, subject.origin
    libraries = json.loads(str(attributes.get("libraries", "{}")))
    versions = origin.versions | {name: number for name, number in libraries.items() if name not in origin.versions}
    rows = [
        ("file", element("code", subject.path.name)),
        ("run", element("code", origin.run)),
        ("started", origin.created_at),
        ("imported from", attributes.get("imported_from")),
        ("seed", attributes.get("seed")),
        ("commit", attributes.get("commit")),
        ("versions", ", ".join(f"{name} {number}" for name, number in versions.items())),
        ("Python", attributes.get("python")),
        ("platform", attributes.get("platform")),
        ("devices", attributes.get("devices")),
        ("configuration file", attributes.get("configuration_file")),
        ("SHA-256 of the configuration", attributes.get("configuration_sha256")),
        ("notes", attributes.get("import_notes")),
    ]
    return facts(rows)


def citations(subject: Subject) -> Html:
    """What the run relied on, and the same as BibTeX."""
    known, purposes = bibliography(), relied_on(subject)
    parts = []
    for purpose, keys in purposes.items():
        items = []
        for key in keys:
            reference = known[key]
            text = element("a", reference.text, href=reference.address) if reference.address else reference.text
            items.append(element("li", text, id=f"cite-{key}"))
        parts += [element("h3", purpose), element("ul", *items)]
    every = dict.fromkeys(key for keys in purposes.values() for key in keys)
    bibtex = "\n\n".join(known[key].bibtex for key in every)
    return joined([*parts, element("h3", "BibTeX"), element("pre", bibtex, id="bibtex")])
